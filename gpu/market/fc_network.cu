/* A MarketFCNet's use on the device: inputs, inference and allocation of a piece of the buyers at a time. */
#include <mutex>
#include <new>

#include "gpu/base/launch.h"
#include "gpu/base/reduce.h"
#include "gpu/market/allocations.h"
#include "gpu/market/fc.h"
#include "models/market/fc_formulas.h"

extern "C" {
#include "models/common/parallel.h"
}

enum { THREADS = 256 };

/* Rows that go through the network together in passes over many buyers: at width 256 two layers' activations
   take 128 MiB, and a product has several blocks for every multiprocessor. */
static const int64_t PASS_ROWS = 1 << 16;

/* in[rows * m, 2 d]: (b_i, g_j), of b[rows, d] and goods[m, d]; a thread for each element. 40 bytes of input
   beside 1024 of the first layer's output (d = 5, width 256): not worth a first layer of its own. */
__global__ void wal_fc_pairs(int64_t rows, int m, int d, const float *b, const float *goods, float *in) {
  const int64_t inputs = 2 * d, cells = rows * m * inputs;
  for (int64_t at = wal_thread(); at < cells; at += wal_threads_all()) {
    const int64_t row = at / inputs, e = at - row * inputs, i = row / m, j = row - i * m;
    in[at] = e < d ? b[i * d + e] : goods[j * d + e - d];
  }
}

/* x[rows, m] from z[rows, m]; a thread for each buyer. Softplus output: budget and lambda are not read. */
__global__ void wal_fc_allocations(wal_fc_output output, int64_t rows, int m, const float *z,
                                   const double *budget, const double *lambda, double *x) {
  const int64_t i = wal_thread();
  if (i >= rows) return;
  wal_fc_allocate_hd(output, m, z + i * m, output == WAL_FC_SHARE ? budget[i] : 0.0, lambda, x + i * m);
}

/* columns[m, stride] of x[rows, m]; a thread for each buyer. */
__global__ void wal_fc_columns(int64_t rows, int m, const double *x, int64_t stride, double *columns) {
  const int64_t i = wal_thread();
  for (int64_t j = 0; i < rows && j < m; j++) columns[j * stride + i] = x[i * m + j];
}

/* partial[k, m] = sum of x[rows, m] over buyers [k WAL_CHUNK, (k + 1) WAL_CHUNK); blocks (k, good). */
__global__ void wal_fc_chunk_sums(int64_t rows, int m, const double *x, double *partial) {
  const int64_t lo = static_cast<int64_t>(blockIdx.x) * WAL_CHUNK, j = blockIdx.y;
  const int64_t hi = lo + WAL_CHUNK < rows ? lo + WAL_CHUNK : rows;
  double sum = 0.0;
  for (int64_t i = lo + threadIdx.x; i < hi; i += blockDim.x) sum += x[i * m + j];
  sum = wal_block_sum(sum);
  if (threadIdx.x == 0) partial[blockIdx.x * m + j] = sum;
}

static wal_fc_room *room_of(const wal_fc_network *network) {
  return static_cast<wal_fc_room *>(network->room);
}

/* Bytes of one buyer in a piece. */
static size_t buyer_bytes(const wal_fc_network *network) {
  const int64_t m = network->about.m, cells = wal_fc_network_rows(network) * wal_fc_network_inputs(network);
  return static_cast<size_t>(network->about.d + cells + m) * sizeof(float) +
         static_cast<size_t>(m + 1) * sizeof(double);
}

/* Room for a pass over `count` buyers at the network's present multipliers; *piece: how many go through at a
   time. */
static wal_status begin_pass(const wal_fc_network *network, int64_t count, int64_t *piece) {
  wal_fc_room *room = room_of(network);
  const int64_t m = network->about.m, d = network->about.d, rows = wal_fc_network_rows(network);
  if (room->piece == 0) {
    size_t bytes;
    WAL_TRY(wal_device_room(&bytes));
    const int64_t fits = wal_chunk_buyers(bytes / 2, buyer_bytes(network));
    const int64_t asks = wal_mlp_device_infer_rows(network->net) / rows, most = asks < fits ? asks : fits;
    const int64_t chunk = WAL_CHUNK;
    room->piece = most < chunk ? chunk : most / chunk * chunk;
  }
  *piece = room->piece;
  const int64_t now = count < *piece ? count : *piece;
  WAL_TRY(room->b.at_least(now * d, "contexts of buyers", "a smaller d"));
  if (!network->recipe->tower)
    WAL_TRY(room->in.at_least(now * m * 2 * d, "a network's inputs", "a smaller m"));
  WAL_TRY(room->z.at_least(now * m, "a network's outputs", "a smaller m"));
  WAL_TRY(room->x.at_least(now * m, "allocations of buyers", "a smaller m"));
  if (network->recipe->output == WAL_FC_SHARE)
    WAL_TRY(room->budget.at_least(now, "budgets of buyers", "a smaller m"));
  return wal_upload(room->lambda.data(), network->about.lambda, m);
}

/* x[hi-lo, m] of buyers [lo, hi), a piece at most. Queued. */
static wal_status infer(const wal_fc_network *network, int64_t lo, int64_t hi, double *x) {
  wal_fc_room *room = room_of(network);
  const int m = network->about.m, d = network->about.d;
  const int64_t rows = hi - lo;
  const wal_session *session;
  WAL_TRY(wal_session_get(&session));
  WAL_TRY(room->buyers.contexts(lo, hi, room->b.data()));
  const float *in = room->b.data();
  if (!network->recipe->tower) {
    in = room->in.data();
    WAL_CUDA_TRY(wal_launch(wal_fc_pairs, wal_grid(rows * m * 2 * d, 4 * THREADS), THREADS, 0,
                            session->stream, rows, m, d, room->b.data(), room->goods.data(),
                            room->in.data()));
  }
  WAL_TRY(wal_mlp_device_infer(network->net, rows * wal_fc_network_rows(network), in, room->z.data()));
  if (network->recipe->output == WAL_FC_SHARE)
    WAL_TRY(room->buyers.fill(lo, hi, rows, static_cast<double *>(nullptr), room->budget.data()));
  WAL_CUDA_TRY(wal_launch(wal_fc_allocations, wal_grid(rows, THREADS), THREADS, 0, session->stream,
                          network->recipe->output, rows, m, room->z.data(), room->budget.data(),
                          room->lambda.data(), x));
  return WAL_OK;
}

static std::mutex one_at_a_time; /* fill() is called from any thread */

wal_status wal_fc_cuda_fill(const wal_fc_network *network, int64_t lo, int64_t hi, double *x) {
  const std::lock_guard<std::mutex> turn(one_at_a_time);
  wal_fc_room *room = room_of(network);
  const int64_t m = network->about.m;
  int64_t piece;
  WAL_TRY(begin_pass(network, hi - lo, &piece));
  for (int64_t at = lo, end; at < hi; at = end) {
    end = hi - at < piece ? hi : at + piece;
    WAL_TRY(infer(network, at, end, room->x.data()));
    WAL_TRY(wal_download(x + (at - lo) * m, room->x.data(), (end - at) * m));
  }
  return WAL_OK;
}

/* What gpu/market/allocations.h asks of an allocation that lives here. */
static wal_status fill_columns(const wal_allocation *allocation, int64_t lo, int64_t hi, int64_t stride,
                               double *x) {
  const std::lock_guard<std::mutex> turn(one_at_a_time);
  const wal_fc_network *network = wal_fc_network_of(allocation);
  wal_fc_room *room = room_of(network);
  const int m = network->about.m;
  const wal_session *session;
  int64_t piece;
  WAL_TRY(wal_session_get(&session));
  WAL_TRY(begin_pass(network, hi - lo, &piece));
  for (int64_t at = lo, end; at < hi; at = end) {
    end = hi - at < piece ? hi : at + piece;
    WAL_TRY(infer(network, at, end, room->x.data()));
    WAL_CUDA_TRY(wal_launch(wal_fc_columns, wal_grid(end - at, THREADS), THREADS, 0, session->stream,
                            end - at, m, room->x.data(), stride, x + (at - lo)));
  }
  return WAL_OK;
}

wal_status wal_fc_cuda_demand(const wal_fc_network *network, int64_t count, double *total) {
  const std::lock_guard<std::mutex> turn(one_at_a_time);
  wal_fc_room *room = room_of(network);
  const int m = network->about.m;
  const int64_t chunks = (count + WAL_CHUNK - 1) / WAL_CHUNK;
  const wal_session *session;
  wal_device_array<double> partial, sum; /* [chunks, m], [m] */
  int64_t piece;
  WAL_TRY(wal_session_get(&session));
  WAL_TRY(begin_pass(network, count, &piece));
  WAL_TRY(partial.allocate(chunks * m, "partial sums of demand", "a smaller n or m"));
  WAL_TRY(sum.allocate(m, "demand", "a smaller m"));
  for (int64_t lo = 0, hi; lo < count; lo = hi) {
    hi = count - lo < piece ? count : lo + piece;
    WAL_TRY(infer(network, lo, hi, room->x.data()));
    const dim3 grid(wal_grid(hi - lo, WAL_CHUNK).x, static_cast<unsigned>(m));
    WAL_CUDA_TRY(wal_launch(wal_fc_chunk_sums, grid, THREADS, 0, session->stream, hi - lo, m, room->x.data(),
                            partial.data() + lo / WAL_CHUNK * m));
  }
  WAL_TRY(wal_sum_partials(chunks, m, partial.data(), sum.data()));
  return wal_download(total, sum.data(), m);
}

/* ---- Life ---- */

/* PASS_ROWS, or what all buyers have, in whole chunks of buyers. */
static int64_t pass_rows(const wal_fc_network *network) {
  const int64_t rows = wal_fc_network_rows(network), n = network->market->n, chunk = WAL_CHUNK;
  const int64_t chunks = PASS_ROWS / (rows * chunk), most = (chunks > 1 ? chunks : 1) * chunk;
  return rows * (n < most ? n : most);
}

wal_status wal_fc_cuda_open(const wal_mlp_config *config, wal_fc_network *network) {
  wal_fc_room *room = new (std::nothrow) wal_fc_room;
  if (!room) return wal_fail(WAL_E_MEMORY, "no memory for a network's room on the device");
  network->room = room;
  const int64_t m = network->about.m, cells = m * network->about.d;
  const int64_t pass = pass_rows(network);
  wal_mlp_config wide = *config;
  if (wide.max_rows < pass) wide.max_rows = pass;
  WAL_TRY(wal_device_fill_register(network->base.ops, fill_columns));
  WAL_TRY(wal_mlp_cuda.create(&wide, &network->net));
  WAL_TRY(room->buyers.open(network->market));
  WAL_TRY(room->goods.allocate(cells, "contexts of goods", "a smaller m"));
  WAL_TRY(room->lambda.allocate(m, "multipliers", "a smaller m"));
  return wal_upload(room->goods.data(), network->about.goods, cells);
}

void wal_fc_cuda_close(wal_fc_network *network) {
  delete room_of(network);
  wal_mlp_cuda.destroy(network->net);
}
