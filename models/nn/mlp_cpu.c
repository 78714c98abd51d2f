/* The network on the CPU. A batch is cut into blocks of BLOCK rows that stay in the second-level cache.
   Forward runs the blocks through all layers; backward runs a fixed number of slices of blocks, each with its
   own gradient, which are then summed pairwise: no result depends on the number of threads. */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "models/common/parallel.h"
#include "models/nn/adam.h"
#include "models/nn/gemm.h"
#include "models/nn/mlp.h"

enum {
  BLOCK = 128,      /* rows that pass through the layers together */
  SLICE_ROWS = 512, /* least rows worth a gradient of their own */
  MAX_SLICES = 16,  /* and so the most threads that backward() uses */
  ELEMENTS = 4096,  /* parameters in one piece of an elementwise loop */
  STATES = 4,       /* parameters, gradient, first and second moment */
};

/* Parameters are stored with rows padded to whole vectors; the padding is zero and stays so. */
typedef struct {
  int64_t in, out, in_pad;
  int64_t weights;           /* offset of W[out, in_pad] in the padded parameters */
  int64_t bias;              /* offset of b[wal_pad(out)] */
  int64_t forward, backward; /* offsets of the panels of W^T[in, out] and of W[out, in] */
} linear;

typedef struct {
  wal_mlp base;
  wal_mlp_config config;
  linear *layers;        /* [depth] */
  int64_t count, padded; /* parameters, and with padding */
  int64_t row;           /* floats between rows of hidden activations and scratch */
  int64_t rows;          /* of the last forward(); -1: none yet */
  int64_t steps;         /* Adam's */
  int64_t layer_stride;  /* floats between hidden layers' activations */
  int slices;            /* that max_rows can need */
  float *state[STATES];  /* [padded] each */
  float *panels;         /* packed weights */
  float *hidden;         /* [depth - 1][max_rows padded to blocks][row] activations of the last forward() */
  float *before;         /* the same before the activation; SiLU only, whose derivative needs it */
  float *gradients;      /* [slices - 1][padded]; slice 0 uses state[1] */
  float *delta[2];       /* [max_rows padded to blocks][row] derivatives on their way back */
  float *scratch;        /* [slices][2 * BLOCK * row] */
  float *zeros;          /* [row] */
} mlp_cpu;

static int64_t min64(int64_t a, int64_t b) { return a < b ? a : b; }
static int64_t max64(int64_t a, int64_t b) { return a > b ? a : b; }
static int64_t blocks_of(int64_t rows) { return (rows + BLOCK - 1) / BLOCK; }

/* A power of two that depends on the batch alone. */
static int slices_of(int64_t rows) {
  int slices = 1;
  while (2 * slices <= MAX_SLICES && rows >= 2 * slices * (int64_t)SLICE_ROWS) slices *= 2;
  return slices;
}

/* Pieces of an elementwise loop over the padded parameters. */
static int64_t pieces(const mlp_cpu *net) { return (net->padded + ELEMENTS - 1) / ELEMENTS; }

/* Zeroed and aligned to cache lines; NULL when there is no memory. */
static float *floats(int64_t count) {
  const size_t bytes = ((size_t)count * sizeof(float) + 63) / 64 * 64 + 64;
  float *p = aligned_alloc(64, bytes);
  return p ? memset(p, 0, bytes) : NULL;
}

/* ---- Forward ---- */

/* Rows of x[rows, inputs] through all layers: hidden layer l's activation goes to hidden + l * stride (and,
   where `before` is given, its argument to before + l * stride), the last layer's output to out[rows, row].
 */
static void forward_block(const mlp_cpu *net, int64_t rows, const float *x, float *hidden, float *before,
                          int64_t stride, float *out) {
  const int last = net->config.depth - 1;
  for (int l = 0; l <= last; l++) {
    const linear *layer = &net->layers[l];
    wal_gemm_panels(&(wal_gemm){.rows = rows,
                                .columns = wal_pad(layer->out),
                                .depth = layer->in,
                                .a = l ? hidden + (l - 1) * stride : x,
                                .a_row = l ? net->row : layer->in,
                                .b = net->panels + layer->forward,
                                .c0 = net->state[0] + layer->bias,
                                .c = l == last ? out : hidden + l * stride,
                                .c_row = net->row,
                                .finish = l == last ? WAL_FINISH_NOTHING : WAL_FINISH_ACTIVATE,
                                .activation = net->config.activation,
                                .kept = before ? before + l * stride : NULL});
  }
}

/* Copies the first `columns` of each row. */
static void copy_rows(int64_t rows, int64_t columns, const float *from, int64_t from_row, float *to,
                      int64_t to_row) {
  for (int64_t i = 0; i < rows; i++) memcpy(to + i * to_row, from + i * from_row, columns * sizeof *to);
}

static wal_status check_rows(const mlp_cpu *net, int64_t rows) {
  if (rows >= 1 && rows <= net->config.max_rows) return WAL_OK;
  return wal_fail(WAL_E_INPUT, "batch of %lld rows; the network was created for 1 to %lld", (long long)rows,
                  (long long)net->config.max_rows);
}

typedef struct {
  const mlp_cpu *net;
  const float *x;
  float *y;
} forward_pass;

static wal_status forward_slice(void *context, int64_t slice) {
  const forward_pass *p = context;
  const mlp_cpu *net = p->net;
  const int64_t inputs = net->config.inputs, outputs = net->config.outputs;
  const int64_t blocks = blocks_of(net->rows), slices = slices_of(net->rows);
  float *out = net->scratch + slice * 2 * BLOCK * net->row;
  for (int64_t block = blocks * slice / slices; block < blocks * (slice + 1) / slices; block++) {
    const int64_t lo = block * BLOCK, count = min64(BLOCK, net->rows - lo);
    forward_block(net, count, p->x + lo * inputs, net->hidden + lo * net->row,
                  net->before ? net->before + lo * net->row : NULL, net->layer_stride, out);
    copy_rows(count, outputs, out, net->row, p->y + lo * outputs, outputs);
  }
  return WAL_OK;
}

static wal_status forward(wal_mlp *mlp, int64_t rows, const float *x, float *y) {
  mlp_cpu *net = (mlp_cpu *)mlp;
  wal_status status = check_rows(net, rows);
  if (status) return status;
  net->rows = rows;
  return wal_for_tasks(slices_of(rows), forward_slice, &(forward_pass){net, x, y});
}

static wal_status infer(const wal_mlp *mlp, int64_t rows, const float *x, float *y) {
  const mlp_cpu *net = (const mlp_cpu *)mlp;
  const int64_t stride = BLOCK * net->row, inputs = net->config.inputs, outputs = net->config.outputs;
  float *hidden = floats(net->config.depth * stride);
  if (!hidden) return wal_fail(WAL_E_MEMORY, "no memory for the activations of %d rows", BLOCK);
  float *out = hidden + (net->config.depth - 1) * stride;
  for (int64_t lo = 0; lo < rows; lo += BLOCK) {
    const int64_t count = min64(BLOCK, rows - lo);
    forward_block(net, count, x + lo * inputs, hidden, NULL, stride, out);
    copy_rows(count, outputs, out, net->row, y + lo * outputs, outputs);
  }
  free(hidden);
  return WAL_OK;
}

/* ---- Backward ---- */

/* Adds one layer's gradient over a block, the slice's `first` or a later one: dW += dz^T input, db += sum of
   dz. dz[rows, row], input[rows, row]; tiles: [BLOCK * row], scratch for the packed dz. */
static void add_gradient(const mlp_cpu *net, const linear *layer, bool first, int64_t rows, const float *dz,
                         const float *input, float *tiles, float *gradient) {
  float *dw = gradient + layer->weights, *db = gradient + layer->bias;
  if (first) memset(db, 0, (size_t)layer->out * sizeof *db);
  wal_tiles_pack(rows, layer->out, dz, net->row, tiles, db);
  wal_gemm_tiles(&(wal_gemm){.rows = layer->out,
                             .columns = layer->in_pad,
                             .depth = rows,
                             .a = tiles,
                             .b = input,
                             .b_row = net->row,
                             .c0 = first ? net->zeros : dw,
                             .c0_row = first ? 0 : layer->in_pad,
                             .c = dw,
                             .c_row = layer->in_pad});
}

/* da[rows, row] = (dz W) o activation'(kept); the first layer has no activation before it. */
static void propagate(const mlp_cpu *net, int l, int64_t rows, const float *dz, float *kept, float *da) {
  const linear *layer = &net->layers[l];
  wal_gemm_panels(&(wal_gemm){.rows = rows,
                              .columns = layer->in_pad,
                              .depth = layer->out,
                              .a = dz,
                              .a_row = net->row,
                              .b = net->panels + layer->backward,
                              .c0 = net->zeros,
                              .c = da,
                              .c_row = net->row,
                              .finish = l ? WAL_FINISH_DERIVE : WAL_FINISH_NOTHING,
                              .activation = net->config.activation,
                              .kept = kept});
}

/* The last batch's dy and, for the first layer, x: [rows, columns] without padding. */
typedef struct {
  const float *x, *dy;
  float *dx;
} batch;

/* Backward through layer l for one block that begins at row lo, the slice's `first` or a later one. The
   derivatives of layer l's output are in delta[l % 2] (the last layer's are dy), those of its input go to the
   other one. */
static void backward_block(const mlp_cpu *net, int l, bool first, int64_t lo, const batch *b, float *scratch,
                           float *gradient) {
  const int64_t inputs = net->config.inputs, outputs = net->config.outputs, at = lo * net->row;
  const int64_t rows = min64(BLOCK, net->rows - lo);
  float *dz = net->delta[l % 2] + at, *da = net->delta[1 - l % 2] + at;
  float *tiles = scratch, *input = scratch + BLOCK * net->row, *kept = NULL;
  if (l == net->config.depth - 1) copy_rows(rows, outputs, b->dy + lo * outputs, outputs, dz, net->row);
  if (l > 0) {
    input = net->hidden + (l - 1) * net->layer_stride + at;
    kept = net->before ? net->before + (l - 1) * net->layer_stride + at : input;
  } else { /* the product reads whole vectors: this scratch is used for x alone, its padding stays zero */
    copy_rows(rows, inputs, b->x + lo * inputs, inputs, input, net->row);
  }
  add_gradient(net, &net->layers[l], first, rows, dz, input, tiles, gradient);
  if (l > 0 || b->dx) propagate(net, l, rows, dz, kept, da);
  if (l == 0 && b->dx) copy_rows(rows, inputs, da, net->row, b->dx + lo * inputs, inputs);
}

static float *slice_gradient(const mlp_cpu *net, int64_t slice) {
  return slice ? net->gradients + (slice - 1) * net->padded : net->state[1];
}

typedef struct {
  const mlp_cpu *net;
  batch batch;
} backward_pass;

/* Backward for one slice: layer by layer, so that a layer's weights and their gradient stay in the cache
   while the blocks pass. */
static wal_status backward_slice(void *context, int64_t slice) {
  const backward_pass *p = context;
  const mlp_cpu *net = p->net;
  const int64_t blocks = blocks_of(net->rows), slices = slices_of(net->rows);
  const int64_t first = blocks * slice / slices, last = blocks * (slice + 1) / slices;
  float *scratch = net->scratch + slice * 2 * BLOCK * net->row;
  for (int l = net->config.depth - 1; l >= 0; l--)
    for (int64_t block = first; block < last; block++)
      backward_block(net, l, block == first, block * BLOCK, &p->batch, scratch, slice_gradient(net, slice));
  return WAL_OK;
}

/* Sums a piece of the slices' gradients into slice 0's: neighbours first, then pairs of pairs. */
static wal_status sum_slices(void *context, int64_t piece) {
  const mlp_cpu *net = context;
  const int64_t lo = piece * ELEMENTS, count = min64(ELEMENTS, net->padded - lo);
  const int slices = slices_of(net->rows);
  for (int step = 1; step < slices; step *= 2)
    for (int slice = 0; slice < slices; slice += 2 * step) {
      float *restrict to = slice_gradient(net, slice) + lo;
      const float *restrict from = slice_gradient(net, slice + step) + lo;
      for (int64_t i = 0; i < count; i++) to[i] += from[i];
    }
  return WAL_OK;
}

static wal_status backward(wal_mlp *mlp, const float *x, const float *dy, float *dx) {
  mlp_cpu *net = (mlp_cpu *)mlp;
  if (net->rows < 0) return wal_fail(WAL_E_INTERNAL, "backward() before forward(): there are no activations");
  const int slices = slices_of(net->rows);
  wal_status status = wal_for_tasks(slices, backward_slice, &(backward_pass){net, {x, dy, dx}});
  if (!status && slices > 1) status = wal_for_tasks(pieces(net), sum_slices, net);
  return status;
}

/* ---- Parameters ---- */

/* Packs one layer's weights for one of the two products: task 2 l for forward, 2 l + 1 for backward. */
static wal_status pack_layer(void *context, int64_t task) {
  const mlp_cpu *net = context;
  const linear *layer = &net->layers[task / 2];
  const float *w = net->state[0] + layer->weights;
  const bool forward_product = task % 2 == 0;
  const int64_t columns = forward_product ? layer->out : layer->in;
  for (int64_t panel = 0; panel < (columns + WAL_PANEL - 1) / WAL_PANEL; panel++)
    if (forward_product)
      wal_panel_pack(layer->in, layer->out, w, 1, layer->in_pad, panel, net->panels + layer->forward);
    else
      wal_panel_pack(layer->out, layer->in, w, layer->in_pad, 1, panel, net->panels + layer->backward);
  return WAL_OK;
}

/* Called whenever the weights change. */
static wal_status pack_weights(mlp_cpu *net) {
  return wal_for_tasks(2 * (int64_t)net->config.depth, pack_layer, net);
}

typedef struct {
  const mlp_cpu *net;
  float lr;
} adam_pass;

static wal_status adam_piece(void *context, int64_t piece) {
  const adam_pass *p = context;
  const mlp_cpu *net = p->net;
  const int64_t lo = piece * ELEMENTS;
  wal_adam_step(min64(ELEMENTS, net->padded - lo), net->steps, p->lr, net->state[1] + lo, net->state[2] + lo,
                net->state[3] + lo, net->state[0] + lo);
  return WAL_OK;
}

static wal_status step(wal_mlp *mlp, float lr) {
  mlp_cpu *net = (mlp_cpu *)mlp;
  net->steps++;
  const wal_status status = wal_for_tasks(pieces(net), adam_piece, &(adam_pass){net, lr});
  return status ? status : pack_weights(net);
}

/* Copies between the seam's order W[out, in], b[out] and the padded one. */
static wal_status exchange(const mlp_cpu *net, int which, float *out, const float *in) {
  if (which < 0 || which >= STATES)
    return wal_fail(WAL_E_INTERNAL, "state %d of a network; expected 0 to %d", which, STATES - 1);
  float *state = net->state[which];
  for (int l = 0; l < net->config.depth; l++) {
    const linear *layer = &net->layers[l];
    for (int64_t i = 0; i <= layer->out; i++) { /* the rows of W, then b */
      const bool is_bias = i == layer->out;
      float *padded = state + (is_bias ? layer->bias : layer->weights + i * layer->in_pad);
      const int64_t count = is_bias ? layer->out : layer->in;
      if (in) memcpy(padded, in, (size_t)count * sizeof *in), in += count;
      if (out) memcpy(out, padded, (size_t)count * sizeof *out), out += count;
    }
  }
  return WAL_OK;
}

static wal_status get(const wal_mlp *mlp, int which, float *out) {
  return exchange((const mlp_cpu *)mlp, which, out, NULL);
}

static wal_status set(wal_mlp *mlp, int which, const float *in) {
  mlp_cpu *net = (mlp_cpu *)mlp;
  wal_status status = exchange(net, which, NULL, in);
  if (!status && which == 0) status = pack_weights(net);
  return status;
}

static int64_t parameter_count(const wal_mlp *mlp) { return ((const mlp_cpu *)mlp)->count; }
static int64_t steps(const wal_mlp *mlp) { return ((const mlp_cpu *)mlp)->steps; }

static wal_status set_steps(wal_mlp *mlp, int64_t count) {
  if (count < 0)
    return wal_fail(WAL_E_INPUT, "Adam's step counter is %lld; expected 0 or more", (long long)count);
  ((mlp_cpu *)mlp)->steps = count;
  return WAL_OK;
}

/* ---- Life ---- */

/* Fills the layers' sizes and offsets; returns the floats that the panels take. */
static int64_t lay_out(mlp_cpu *net) {
  const wal_mlp_config *config = &net->config;
  int64_t panels = 0;
  for (int l = 0; l < config->depth; l++) {
    linear *layer = &net->layers[l];
    layer->in = l == 0 ? config->inputs : config->width;
    layer->out = l == config->depth - 1 ? config->outputs : config->width;
    layer->in_pad = wal_pad(layer->in);
    layer->weights = net->padded;
    layer->bias = layer->weights + layer->out * layer->in_pad;
    net->padded = layer->bias + wal_pad(layer->out);
    net->count += layer->out * (layer->in + 1);
    layer->forward = panels;
    layer->backward = layer->forward + wal_panels_size(layer->in, layer->out);
    panels = layer->backward + wal_panels_size(layer->out, layer->in);
  }
  return panels;
}

static void destroy(wal_mlp *mlp) {
  mlp_cpu *net = (mlp_cpu *)mlp;
  if (!net) return;
  for (int i = 0; i < STATES; i++) free(net->state[i]);
  free(net->layers);
  free(net->panels);
  free(net->hidden);
  free(net->before);
  free(net->gradients);
  for (int i = 0; i < 2; i++) free(net->delta[i]);
  free(net->scratch);
  free(net->zeros);
  free(net);
}

/* The CPU computes in float32 only. */
static wal_status check_config(const wal_mlp_config *config) {
  const wal_status status = wal_mlp_check(config);
  if (status || config->precision == WAL_FLOAT32) return status;
  return wal_fail(WAL_E_UNSUPPORTED,
                  "a network with precision %s on the CPU; it has float32 only (precision: float32)",
                  wal_precision_name(config->precision));
}

/* Allocates every buffer of a network whose config is set. */
static bool allocate(mlp_cpu *net) {
  const wal_mlp_config *config = &net->config;
  net->layers = calloc((size_t)config->depth, sizeof *net->layers);
  if (!net->layers) return false;
  net->panels = floats(lay_out(net));
  /* An odd number of cache lines, so that a column's rows do not share one cache set. */
  net->row = wal_pad(max64(max64(config->inputs, config->outputs), config->width));
  net->row = (net->row + 15) / 16 * 16;
  if (net->row % 32 == 0) net->row += 16;
  net->layer_stride = blocks_of(config->max_rows) * BLOCK * net->row;
  net->slices = slices_of(config->max_rows);
  net->hidden = floats((config->depth - 1) * net->layer_stride);
  if (config->activation == WAL_SILU) net->before = floats((config->depth - 1) * net->layer_stride);
  net->gradients = floats((net->slices - 1) * net->padded);
  net->scratch = floats(net->slices * 2 * BLOCK * net->row);
  net->zeros = floats(net->row);
  bool ok = net->panels && net->hidden && net->gradients && net->scratch && net->zeros &&
            (net->before || config->activation != WAL_SILU);
  for (int i = 0; i < 2; i++) ok = (net->delta[i] = floats(net->layer_stride)) && ok;
  for (int i = 0; i < STATES; i++) ok = (net->state[i] = floats(net->padded)) && ok;
  return ok;
}

/* The initial parameters. */
static wal_status begin(mlp_cpu *net) {
  float *parameters = malloc((size_t)net->count * sizeof *parameters);
  if (!parameters)
    return wal_fail(WAL_E_MEMORY, "no memory for %lld parameters of a network", (long long)net->count);
  wal_mlp_draw(&net->config, parameters);
  const wal_status status = set(&net->base, 0, parameters);
  free(parameters);
  return status;
}

static const char *engine(const wal_mlp *mlp) {
  (void)mlp;
  return "cpu";
}

static wal_status create(const wal_mlp_config *config, wal_mlp **out) {
  *out = NULL;
  wal_status status = check_config(config);
  if (status) return status;
  mlp_cpu *net = calloc(1, sizeof *net);
  if (net) {
    net->base.ops = &wal_mlp_cpu;
    net->config = *config;
    net->rows = -1;
  }
  if (!net || !allocate(net)) {
    destroy((wal_mlp *)net);
    return wal_fail(WAL_E_MEMORY, "no memory for a network of width %d, depth %d and %lld rows",
                    config->width, config->depth, (long long)config->max_rows);
  }
  status = begin(net);
  if (status) return destroy(&net->base), status;
  *out = &net->base;
  return WAL_OK;
}

const wal_mlp_ops wal_mlp_cpu = {
    .name = "cpu",
    .create = create,
    .destroy = destroy,
    .forward = forward,
    .backward = backward,
    .step = step,
    .infer = infer,
    .parameter_count = parameter_count,
    .get = get,
    .set = set,
    .steps = steps,
    .set_steps = set_steps,
    .engine = engine,
};
