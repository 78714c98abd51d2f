/* The network's training step, replayed from a captured graph, beside the roofline of its layers: for each
   layer's forward, gradient of the input and of the weights the larger of its bytes at the measured bandwidth
   and its multiply-adds at the measured rate of a large matrix product in the same precision (cuBLASLt),
   added up. Where all activations fit into the L2 cache the bytes' part is no bound, and a ratio below 1 is
   possible. Network 10-256x4-1, ReLU. Also: every operation of a hidden layer alone, and how far the shorter
   precisions are from the CPU's float32. Peer: gpu/bench/mlp_peer.py. */
#ifndef WAL_EMULATED
#include <cublasLt.h>
#endif

#include "gpu/bench/bench.h"
#include "gpu/nn/ends.h"
#include "gpu/nn/layers.h"
#include "gpu/nn/mlp_cuda.h"
#include "gpu/nn/replay.h"

extern "C" {
#include "models/common/rng.h"
}

static const int64_t INPUTS = 10, ACCURACY_ROWS = 4096;
static const int DEPTH = 5;

static int64_t width = 256;
static double matrix_flops[3]; /* per second, by precision */

/* ---- the machine's rate ---- */

/* count numbers between -1 and 1, stored. */
static wal_status put_numbers(wal_precision precision, int64_t count, unsigned char *to) {
  std::vector<float> numbers(static_cast<size_t>(count));
  std::vector<wal_bf16> shorter(static_cast<size_t>(count));
  for (size_t i = 0; i < numbers.size(); i++) {
    numbers[i] = static_cast<float>(static_cast<int64_t>(i * 2654435761u % 2001) - 1000) / 1000;
    shorter[i] = wal_to_bf16(numbers[i]);
  }
  if (precision == WAL_BF16) return wal_upload_bytes(to, shorter.data(), shorter.size() * sizeof shorter[0]);
  return wal_upload_bytes(to, numbers.data(), numbers.size() * sizeof numbers[0]);
}

#ifdef WAL_EMULATED

static double measure_matrix_rate(wal_precision) { return 2 * bench.float_fmas; } /* there is no other */

#else

#define BENCH_CUBLAS(call)                                                        \
  do {                                                                            \
    const cublasStatus_t error_ = (call);                                         \
    if (error_ != CUBLAS_STATUS_SUCCESS) {                                        \
      fprintf(stderr, "%s: cuBLAS status %d\n", #call, static_cast<int>(error_)); \
      exit(EXIT_FAILURE);                                                         \
    }                                                                             \
  } while (0)

static cublasComputeType_t compute_type(wal_precision precision) {
  return precision == WAL_TF32 ? CUBLAS_COMPUTE_32F_FAST_TF32 : CUBLAS_COMPUTE_32F;
}

/* Flops per second of an n x n x n product; not of zeros, which would use less power. */
static double measure_matrix_rate(wal_precision precision) {
  const int64_t n = bench.smoke ? 128 : 8192;
  const size_t room = size_t(64) << 20;
  const cudaDataType_t type = precision == WAL_BF16 ? CUDA_R_16BF : CUDA_R_32F;
  const float one = 1, zero = 0;
  wal_device_array<unsigned char> a, b, c, workspace;
  BENCH_TRY(a.allocate(n * n * 4, "a factor", "other programs on the card"));
  BENCH_TRY(b.allocate(n * n * 4, "a factor", "other programs on the card"));
  BENCH_TRY(c.allocate(n * n * 4, "a product", "other programs on the card"));
  BENCH_TRY(workspace.allocate(static_cast<int64_t>(room), "a workspace", "other programs on the card"));
  BENCH_TRY(put_numbers(precision, n * n, a.data()));
  BENCH_TRY(put_numbers(precision, n * n, b.data()));
  cublasLtHandle_t handle;
  cublasLtMatmulDesc_t product;
  cublasLtMatrixLayout_t layout;
  cublasLtMatmulPreference_t preference;
  cublasLtMatmulHeuristicResult_t found;
  int count = 0;
  BENCH_CUBLAS(cublasLtCreate(&handle));
  BENCH_CUBLAS(cublasLtMatmulDescCreate(&product, compute_type(precision), CUDA_R_32F));
  BENCH_CUBLAS(
      cublasLtMatrixLayoutCreate(&layout, type, static_cast<uint64_t>(n), static_cast<uint64_t>(n), n));
  BENCH_CUBLAS(cublasLtMatmulPreferenceCreate(&preference));
  BENCH_CUBLAS(cublasLtMatmulPreferenceSetAttribute(preference, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES,
                                                    &room, sizeof room));
  BENCH_CUBLAS(cublasLtMatmulAlgoGetHeuristic(handle, product, layout, layout, layout, layout, preference, 1,
                                              &found, &count));
  if (count < 1) {
    fprintf(stderr, "cuBLASLt knows no product in %s\n", wal_precision_name(precision));
    exit(EXIT_FAILURE);
  }
  const double seconds = bench_time([&]() -> wal_status {
    BENCH_CUBLAS(cublasLtMatmul(handle, product, &one, a.data(), layout, b.data(), layout, &zero, c.data(),
                                layout, c.data(), layout, &found.algo, workspace.data(), room,
                                bench.gpu->stream));
    return WAL_OK;
  });
  cublasLtMatmulPreferenceDestroy(preference), cublasLtMatrixLayoutDestroy(layout),
      cublasLtMatmulDescDestroy(product);
  cublasLtDestroy(handle);
  return 2.0 * static_cast<double>(n * n * n) / seconds;
}

#endif

/* ---- limits ---- */

static double longer(double bytes, double flops, double rate) {
  return std::max(bytes / bench.bandwidth, flops / rate);
}

/* A hidden layer's operation that reads and writes `arrays` arrays [rows, width]. */
static double hidden_limit(wal_precision precision, int64_t rows, double arrays) {
  const double w = static_cast<double>(width), r = static_cast<double>(rows),
               each = static_cast<double>(wal_stored_bytes(precision));
  return longer(each * (arrays * r * w + w * w), 2 * r * w * w, matrix_flops[precision]);
}

static double forward_limit(wal_precision precision, int64_t rows) {
  const double r = static_cast<double>(rows),
               row = static_cast<double>(width) * static_cast<double>(wal_stored_bytes(precision));
  const double ends =
      longer(r * (4.0 * static_cast<double>(INPUTS) + row),
             2 * r * static_cast<double>(INPUTS) * static_cast<double>(width), 2 * bench.float_fmas) +
      r * (row + 4) / bench.bandwidth;
  return ends + (DEPTH - 2) * hidden_limit(precision, rows, 2);
}

static double step_limit(wal_precision precision, int64_t rows, int64_t parameters) {
  const double r = static_cast<double>(rows),
               row = static_cast<double>(width) * static_cast<double>(wal_stored_bytes(precision));
  const double last = r * (2 * row + 4) / bench.bandwidth,
               first = r * (4.0 * static_cast<double>(INPUTS) + row) / bench.bandwidth;
  const double adam = 7 * 4 * static_cast<double>(parameters) / bench.bandwidth;
  const double hidden = hidden_limit(precision, rows, 3) + hidden_limit(precision, rows, 2);
  return forward_limit(precision, rows) + last + (DEPTH - 2) * hidden + first + adam;
}

/* ---- measurements ---- */

static wal_mlp_config network(wal_precision precision, int64_t rows) {
  wal_mlp_config c = {};
  c.inputs = static_cast<int>(INPUTS), c.outputs = 1, c.width = static_cast<int>(width), c.depth = DEPTH;
  c.max_rows = rows, c.seed = 1, c.precision = precision;
  return c;
}

static std::vector<float> normals(int64_t count, uint64_t first) {
  std::vector<float> x(static_cast<size_t>(count));
  for (size_t i = 0; i < x.size(); i++)
    x[i] = static_cast<float>(wal_rng_normal(1, WAL_STREAM_TEST, first + i));
  return x;
}

static const char *size_text(wal_precision precision, int64_t rows, char text[48]) {
  snprintf(text, 48, "%lld rows, %s", static_cast<long long>(rows), wal_precision_name(precision));
  return text;
}

static void time_network(wal_precision precision, int64_t rows) {
  const wal_mlp_config config = network(precision, rows);
  const std::vector<float> x = normals(rows * INPUTS, 0),
                           dy(static_cast<size_t>(rows), 1.0f / static_cast<float>(rows));
  char size[48];
  wal_mlp *net = nullptr;
  wal_mlp_replay *graph = nullptr;
  wal_device_array<float> input, output;
  BENCH_TRY(wal_mlp_cuda.create(&config, &net));
  BENCH_TRY(input.allocate(rows * INPUTS, "inputs", "rows"));
  BENCH_TRY(output.allocate(rows, "outputs", "rows"));
  BENCH_TRY(wal_upload(input.data(), x.data(), rows * INPUTS));
  BENCH_TRY(wal_mlp_device_set_rate(net, 1e-5f));
  BENCH_TRY(wal_mlp_replay_open(net, rows, x.data(), dy.data(), &graph));
  const double step = bench_time([&] { return wal_mlp_replay_queue(graph); });
  const double infer =
      bench_time([&] { return wal_mlp_device_infer(net, rows, input.data(), output.data()); });
  size_text(precision, rows, size);
  bench_row("training step, captured", size, step, step_limit(precision, rows, wal_mlp_parameters(&config)));
  bench_row("inference", size, infer, forward_limit(precision, rows));
  wal_mlp_replay_close(graph);
  wal_mlp_cuda.destroy(net);
}

/* The operations of one hidden layer, alone. */
static void time_layer(wal_precision precision, int64_t rows) {
  const wal_mlp_config config = network(precision, rows);
  const wal_layers_shape shape = {width, rows, WAL_RELU, precision};
  const int64_t bytes = rows * width * static_cast<int64_t>(wal_stored_bytes(precision));
  char size[48];
  wal_layers *layers = nullptr;
  wal_device_array<unsigned char> a, b, c;
  wal_device_array<float> w, part;
  wal_device_array<wal_bf16> w16;
  BENCH_TRY(wal_layers_create(&shape, &layers));
  const int64_t slices = layers->ops->slices(layers, rows), parameters = width * width + width;
  BENCH_TRY(a.allocate(bytes, "activations", "rows"));
  BENCH_TRY(b.allocate(bytes, "activations", "rows"));
  BENCH_TRY(c.allocate(bytes, "activations", "rows"));
  BENCH_TRY(w.allocate(parameters, "weights", "rows"));
  BENCH_TRY(w16.allocate(parameters, "weights", "rows"));
  BENCH_TRY(part.allocate(slices * width * width, "parts", "rows"));
  BENCH_TRY(put_numbers(precision, rows * width, a.data()));
  BENCH_TRY(put_numbers(precision, rows * width, b.data()));
  BENCH_TRY(wal_upload(w.data(), normals(parameters, 0).data(), parameters));
  BENCH_TRY(wal_shorten_array(parameters, w.data(), w16.data()));
  const wal_layer_weights weights = {w.data(), w.data() + width * width,
                                     precision == WAL_BF16 ? w16.data() : nullptr};
  BENCH_TRY(layers->ops->prepare(layers, rows, true));
  size_text(precision, rows, size);
  bench_row("hidden layer, forward", size, bench_time([&] {
              return layers->ops->forward(layers, rows, a.data(), weights, nullptr, c.data());
            }),
            hidden_limit(precision, rows, 2));
  bench_row("hidden layer, gradient of the input", size, bench_time([&] {
              return layers->ops->input(layers, rows, a.data(), weights, b.data(), c.data());
            }),
            hidden_limit(precision, rows, 3));
  bench_row("hidden layer, gradient of W in parts", size,
            bench_time([&] { return layers->ops->weights(layers, rows, a.data(), b.data(), part.data()); }),
            hidden_limit(precision, rows, 2));
  printf("| engine of %s: %s | | | | |\n", wal_precision_name(config.precision), layers->ops->engine(layers));
  layers->ops->destroy(layers);
}

/* ---- accuracy ---- */

static void differentiate(const wal_mlp_ops *ops, wal_precision precision, int64_t rows,
                          std::vector<float> *y, std::vector<float> *g) {
  const wal_mlp_config config = network(precision, rows);
  const std::vector<float> x = normals(rows * INPUTS, 0), dy = normals(rows, 1u << 24);
  wal_mlp *net = nullptr;
  y->resize(static_cast<size_t>(rows)), g->resize(static_cast<size_t>(wal_mlp_parameters(&config)));
  BENCH_TRY(ops->create(&config, &net));
  BENCH_TRY(ops->forward(net, rows, x.data(), y->data()));
  BENCH_TRY(ops->backward(net, x.data(), dy.data(), nullptr));
  BENCH_TRY(ops->get(net, 1, g->data()));
  ops->destroy(net);
}

/* |a - b| / |b|. */
static double distance(const std::vector<float> &a, const std::vector<float> &b) {
  double apart = 0, length = 0;
  for (size_t i = 0; i < a.size(); i++) {
    apart += (static_cast<double>(a[i]) - b[i]) * (static_cast<double>(a[i]) - b[i]);
    length += static_cast<double>(b[i]) * b[i];
  }
  return sqrt(apart / length);
}

static void compare_precisions(void) {
  static const double most[] = {1e-5, 5e-3, 5e-2};
  const int64_t rows = bench.smoke ? 64 : ACCURACY_ROWS;
  std::vector<float> y, g, cpu_y, cpu_g;
  differentiate(&wal_mlp_cpu, WAL_FLOAT32, rows, &cpu_y, &cpu_g);
  printf(
      "\nDistance from the CPU's float32, relative to its length, %lld rows\n\n| precision | outputs | "
      "gradient |\n|---|---|---|\n",
      static_cast<long long>(rows));
  for (int p = 0; p < 3; p++) {
    differentiate(&wal_mlp_cuda, static_cast<wal_precision>(p), rows, &y, &g);
    printf("| %s | %.2g | %.2g |\n", wal_precision_name(static_cast<wal_precision>(p)), distance(y, cpu_y),
           distance(g, cpu_g));
    bench_check(distance(y, cpu_y) < most[p], "the outputs' distance from the CPU's");
  }
}

int main(int argc, char **argv) {
  bench_open(argc, argv, "Network 10-256x4-1");
  if (bench.smoke) width = 64;
  for (int p = 0; p < 3; p++) {
    matrix_flops[p] = measure_matrix_rate(static_cast<wal_precision>(p));
    printf("| matrix product, %s: %.4g TFLOP/s | | | | |\n",
           wal_precision_name(static_cast<wal_precision>(p)), 1e-12 * matrix_flops[p]);
  }
  for (int log2_rows = 14; log2_rows <= (bench.smoke ? 14 : 18); log2_rows += 2)
    for (int p = 0; p < 3; p++)
      time_network(static_cast<wal_precision>(p), bench.smoke ? 64 : int64_t(1) << log2_rows);
  for (int p = 0; p < 3; p++) time_layer(static_cast<wal_precision>(p), bench.smoke ? 64 : 1 << 16);
  compare_precisions();
  return bench_close();
}
