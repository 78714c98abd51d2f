/* The network on the device. The first and the last layer are gpu/nn/ends, those between gpu/nn/layers;
   parameters, gradient, Adam's moments and activations stay where they are, a layer's output at the address
   where the next one reads it. */
#include <stdlib.h>

#include <mutex>
#include <new>
#include <vector>

#include "gpu/nn/adam.h"
#include "gpu/nn/ends.h"
#include "gpu/nn/mlp_cuda.h"

namespace {

/* One layer's place among the parameters, and what its gradient is summed from. */
struct linear {
  int64_t in, out;
  int64_t weights, biases; /* offsets in the seam's order */
  float *dw, *db;          /* parts of the gradient */
};

enum { STATES = 4 }; /* parameters, gradient, first and second moment */

struct mlp_cuda {
  wal_mlp base;
  wal_mlp_config config;
  int64_t count; /* parameters */
  int64_t rows;  /* of the last forward; -1: none yet */
  std::vector<linear> layers;
  wal_layers *hidden_layers; /* NULL where the depth leaves none */
  wal_device_array<float> state[STATES];
  wal_device_array<wal_bf16> w16; /* parameters in bf16; WAL_BF16 only */
  wal_device_array<wal_adam_state> adam;
  wal_device_array<unsigned char>
      hidden; /* [depth - 1][max_rows, width] stored: activations of the last forward */
  wal_device_array<unsigned char> before; /* the same before the activation; SiLU only */
  wal_device_array<unsigned char>
      delta[2]; /* [max_rows, width] stored: derivatives on their way back; infer's activations */
  wal_device_array<float> parts;           /* of the gradient, slice by slice */
  wal_device_array<float> x, y, dy, dx;    /* the host's batches: [max_rows, inputs or outputs] */
  wal_device_array<float> asked, answered; /* the same for infer() */
};

mlp_cuda *of(wal_mlp *net) { return reinterpret_cast<mlp_cuda *>(net); }
const mlp_cuda *of(const wal_mlp *net) { return reinterpret_cast<const mlp_cuda *>(net); }

bool is_bf16(const mlp_cuda *net) { return net->config.precision == WAL_BF16; }

/* Layer l's activations of `rows` rows, and what its derivative is made from. */
unsigned char *activations(const mlp_cuda *net, int l) {
  return net->hidden.data() + l * net->config.max_rows * net->config.width *
                                  static_cast<int64_t>(wal_stored_bytes(net->config.precision));
}
unsigned char *arguments(const mlp_cuda *net, int l) {
  if (net->config.activation != WAL_SILU) return nullptr;
  return net->before.data() + (activations(net, l) - net->hidden.data());
}
const unsigned char *kept(const mlp_cuda *net, int l) {
  const unsigned char *z = arguments(net, l);
  return z ? z : activations(net, l);
}

const float *weights_of(const mlp_cuda *net, int l) {
  return net->state[0].data() + net->layers[static_cast<size_t>(l)].weights;
}
const float *biases_of(const mlp_cuda *net, int l) {
  return net->state[0].data() + net->layers[static_cast<size_t>(l)].biases;
}

wal_layer_weights hidden_weights(const mlp_cuda *net, int l) {
  const wal_bf16 *w16 =
      is_bf16(net) ? net->w16.data() + net->layers[static_cast<size_t>(l)].weights : nullptr;
  return wal_layer_weights{weights_of(net, l), biases_of(net, l), w16};
}

/* The first or the last layer. */
wal_end end_of(const mlp_cuda *net, int l) {
  const wal_numbers stored = is_bf16(net) ? WAL_IN_BF16 : WAL_IN_FLOAT32;
  const linear &layer = net->layers[static_cast<size_t>(l)];
  const bool last = l == net->config.depth - 1;
  return wal_end{layer.in,
                 layer.out,
                 net->config.activation,
                 !last,
                 l == 0 ? WAL_IN_FLOAT32 : stored,
                 last ? WAL_IN_FLOAT32 : stored};
}

wal_status check_rows(const mlp_cuda *net, int64_t rows) {
  if (rows >= 1 && rows <= net->config.max_rows) return WAL_OK;
  return wal_fail(WAL_E_INPUT, "batch of %lld rows; the network was created for 1 to %lld",
                  static_cast<long long>(rows), static_cast<long long>(net->config.max_rows));
}

/* ---- forward ---- */

/* Layer l of a batch: from[rows, in] -> to[rows, out]; z as in wal_layers_ops.forward. */
wal_status layer_forward(const mlp_cuda *net, int l, int64_t rows, const void *from, void *z, void *to) {
  if (l > 0 && l < net->config.depth - 1)
    return net->hidden_layers->ops->forward(net->hidden_layers, rows, from, hidden_weights(net, l), z, to);
  const wal_end end = end_of(net, l);
  return wal_end_forward(&end, rows, from, weights_of(net, l), biases_of(net, l), z, to);
}

wal_status prepare(const mlp_cuda *net, int64_t rows, bool training) {
  return net->hidden_layers ? net->hidden_layers->ops->prepare(net->hidden_layers, rows, training) : WAL_OK;
}

wal_status forward_device(mlp_cuda *net, int64_t rows, const float *x, float *y) {
  const int last = net->config.depth - 1;
  WAL_TRY(check_rows(net, rows));
  WAL_TRY(prepare(net, rows, true));
  net->rows = rows;
  for (int l = 0; l < last; l++)
    WAL_TRY(layer_forward(net, l, rows, l ? static_cast<const void *>(activations(net, l - 1)) : x,
                          arguments(net, l), activations(net, l)));
  return layer_forward(net, last, rows, last ? static_cast<const void *>(activations(net, last - 1)) : x,
                       nullptr, y);
}

/* The layers take turns in backward's two arrays. */
wal_status infer_part(const mlp_cuda *net, int64_t rows, const float *x, float *y) {
  const int last = net->config.depth - 1;
  const void *from = x;
  WAL_TRY(prepare(net, rows, false));
  for (int l = 0; l < last; l++) {
    void *to = net->delta[l % 2].data();
    WAL_TRY(layer_forward(net, l, rows, from, nullptr, to));
    from = to;
  }
  return layer_forward(net, last, rows, from, nullptr, y);
}

wal_status infer_device(const mlp_cuda *net, int64_t rows, const float *x, float *y) {
  const int64_t most = net->config.max_rows;
  for (int64_t lo = 0; lo < rows; lo += most)
    WAL_TRY(infer_part(net, rows - lo < most ? rows - lo : most, x + lo * net->config.inputs,
                       y + lo * net->config.outputs));
  return WAL_OK;
}

/* ---- backward ---- */

/* Layer l's gradient, from dz of its output; `stored` is not read for the only layer of a network. */
wal_status hidden_backward(mlp_cuda *net, int l, bool bias_is_there, const unsigned char *dz,
                           unsigned char *before) {
  const linear &layer = net->layers[static_cast<size_t>(l)];
  const wal_layers_ops *ops = net->hidden_layers->ops;
  const wal_numbers stored = is_bf16(net) ? WAL_IN_BF16 : WAL_IN_FLOAT32;
  if (!bias_is_there) WAL_TRY(wal_sum_rows(stored, net->rows, layer.out, dz, layer.db));
  WAL_TRY(ops->weights(net->hidden_layers, net->rows, dz, activations(net, l - 1), layer.dw));
  return ops->input(net->hidden_layers, net->rows, dz, hidden_weights(net, l), kept(net, l - 1), before);
}

/* The last layer of several: makes dz of the layer before, and that layer's db. */
wal_status last_backward(mlp_cuda *net, const float *dy, unsigned char *dz) {
  const int l = net->config.depth - 1;
  const linear &layer = net->layers[static_cast<size_t>(l)];
  const wal_end end = end_of(net, l);
  return wal_last_backward(&end, net->rows, dy, weights_of(net, l), activations(net, l - 1), kept(net, l - 1),
                           dz, layer.dw, layer.db, net->layers[static_cast<size_t>(l - 1)].db);
}

/* Sums every layer's parts. */
wal_status sum_parts(mlp_cuda *net) {
  for (int lo = 0; lo < net->config.depth; lo += WAL_GRADIENT_PARTS) {
    wal_gradient_part part[WAL_GRADIENT_PARTS];
    const int count =
        net->config.depth - lo < WAL_GRADIENT_PARTS ? net->config.depth - lo : WAL_GRADIENT_PARTS;
    for (int k = 0; k < count; k++) {
      const int l = lo + k;
      const linear &layer = net->layers[static_cast<size_t>(l)];
      const bool is_end = l == 0 || l == net->config.depth - 1;
      const wal_end end = end_of(net, l);
      const int64_t slices = is_end ? wal_end_slices(&end, net->rows)
                                    : net->hidden_layers->ops->slices(net->hidden_layers, net->rows);
      part[k] = wal_gradient_part{layer.dw, layer.db, slices, wal_row_slices(net->rows), layer.in * layer.out,
                                  layer.out};
    }
    WAL_TRY(wal_sum_slices(count, part, net->state[1].data() + net->layers[static_cast<size_t>(lo)].weights));
  }
  return WAL_OK;
}

wal_status backward_device(mlp_cuda *net, const float *x, const float *dy, float *dx) {
  if (net->rows < 0) return wal_fail(WAL_E_INTERNAL, "backward() before forward(): there are no activations");
  const int last = net->config.depth - 1;
  const linear &first = net->layers[0];
  const wal_end end = end_of(net, 0);
  const void *dz = dy; /* of layer 0 at the end */
  if (last > 0) {
    WAL_TRY(last_backward(net, dy, net->delta[0].data()));
    for (int l = last - 1, now = 0; l > 0; l--, now = 1 - now)
      WAL_TRY(hidden_backward(net, l, l == last - 1, net->delta[now].data(), net->delta[1 - now].data()));
    dz = net->delta[(last - 1) % 2].data();
  }
  WAL_TRY(wal_first_backward(&end, net->rows, dz, x, first.dw, first.db));
  if (dx) WAL_TRY(wal_first_input(&end, net->rows, dz, weights_of(net, 0), dx));
  return sum_parts(net);
}

wal_status step_device(mlp_cuda *net) {
  return wal_adam_device_step(net->count, net->state[1].data(), net->state[2].data(), net->state[3].data(),
                              net->state[0].data(), is_bf16(net) ? net->w16.data() : nullptr,
                              net->adam.data());
}

__global__ void wal_set_rate(wal_adam_state *state, float rate) { state->rate = rate; }

wal_status set_rate(mlp_cuda *net, float rate) {
  const wal_session *session;
  WAL_TRY(wal_session_get(&session));
  WAL_CUDA_TRY(wal_launch(wal_set_rate, 1, 1, 0, session->stream, net->adam.data(), rate));
  return WAL_OK;
}

/* ---- the seam: batches on the host ---- */

wal_status forward(wal_mlp *mlp, int64_t rows, const float *x, float *y) {
  mlp_cuda *net = of(mlp);
  const wal_mlp_config *c = &net->config;
  WAL_TRY(check_rows(net, rows));
  WAL_TRY(net->x.at_least(c->max_rows * c->inputs, "a network's inputs", "its batch"));
  WAL_TRY(net->y.at_least(c->max_rows * c->outputs, "a network's outputs", "its batch"));
  WAL_TRY(wal_upload(net->x.data(), x, rows * c->inputs));
  WAL_TRY(forward_device(net, rows, net->x.data(), net->y.data()));
  return wal_download(y, net->y.data(), rows * c->outputs);
}

wal_status backward(wal_mlp *mlp, const float *, const float *dy, float *dx) {
  mlp_cuda *net = of(mlp);
  const wal_mlp_config *c = &net->config;
  if (net->rows < 0 || !net->x.data())
    return wal_fail(WAL_E_INTERNAL, "backward() before forward(): there are no activations");
  WAL_TRY(net->dy.at_least(c->max_rows * c->outputs, "the derivatives of a network's outputs", "its batch"));
  if (dx)
    WAL_TRY(net->dx.at_least(c->max_rows * c->inputs, "the derivatives of a network's inputs", "its batch"));
  WAL_TRY(wal_upload(net->dy.data(), dy, net->rows * c->outputs));
  WAL_TRY(backward_device(net, net->x.data(), net->dy.data(), dx ? net->dx.data() : nullptr));
  return dx ? wal_download(dx, net->dx.data(), net->rows * c->inputs) : WAL_OK;
}

wal_status step(wal_mlp *mlp, float lr) {
  WAL_TRY(set_rate(of(mlp), lr));
  return step_device(of(mlp));
}

/* One thread at a time: there is one stream, and one place for a network's activations. */
std::mutex inferring;

wal_status infer(const wal_mlp *mlp, int64_t rows, const float *x, float *y) {
  const std::lock_guard<std::mutex> one(inferring);
  mlp_cuda *net = const_cast<mlp_cuda *>(of(mlp)); /* whose scratch is the lock's */
  const wal_mlp_config *c = &net->config;
  const int64_t most = rows < c->max_rows ? rows : c->max_rows;
  WAL_TRY(net->asked.at_least(most * c->inputs, "a network's inputs", "its batch"));
  WAL_TRY(net->answered.at_least(most * c->outputs, "a network's outputs", "its batch"));
  for (int64_t lo = 0; lo < rows; lo += most) {
    const int64_t count = rows - lo < most ? rows - lo : most;
    WAL_TRY(wal_upload(net->asked.data(), x + lo * c->inputs, count * c->inputs));
    WAL_TRY(infer_part(net, count, net->asked.data(), net->answered.data()));
    WAL_TRY(wal_download(y + lo * c->outputs, net->answered.data(), count * c->outputs));
  }
  return WAL_OK;
}

int64_t parameter_count(const wal_mlp *mlp) { return of(mlp)->count; }

wal_status check_state(int which) {
  if (which >= 0 && which < STATES) return WAL_OK;
  return wal_fail(WAL_E_INTERNAL, "state %d of a network; expected 0 to %d", which, STATES - 1);
}

wal_status get(const wal_mlp *mlp, int which, float *out) {
  WAL_TRY(check_state(which));
  return wal_download(out, of(mlp)->state[which].data(), of(mlp)->count);
}

wal_status set(wal_mlp *mlp, int which, const float *in) {
  mlp_cuda *net = of(mlp);
  WAL_TRY(check_state(which));
  WAL_TRY(wal_upload(net->state[which].data(), in, net->count));
  return which == 0 && is_bf16(net) ? wal_shorten_array(net->count, net->state[0].data(), net->w16.data())
                                    : WAL_OK;
}

int64_t steps(const wal_mlp *mlp) {
  wal_adam_state state;
  return wal_download(&state, of(mlp)->adam.data(), 1) == WAL_OK ? state.steps : -1;
}

wal_status set_steps(wal_mlp *mlp, int64_t count) {
  if (count < 0)
    return wal_fail(WAL_E_INPUT, "Adam's step counter is %lld; expected 0 or more",
                    static_cast<long long>(count));
  wal_adam_state state;
  WAL_TRY(wal_download(&state, of(mlp)->adam.data(), 1));
  state.steps = count;
  return wal_upload(of(mlp)->adam.data(), &state, 1);
}

const char *engine(const wal_mlp *mlp) {
  const wal_layers *hidden = of(mlp)->hidden_layers;
  return hidden ? hidden->ops->engine(hidden) : "plain";
}

/* ---- life ---- */

void destroy(wal_mlp *mlp) {
  mlp_cuda *net = of(mlp);
  if (!net) return;
  wal_session_wait(); /* queued work may still read what is freed now */
  if (net->hidden_layers) net->hidden_layers->ops->destroy(net->hidden_layers);
  delete net;
}

void lay_out(mlp_cuda *net) {
  const wal_mlp_config *c = &net->config;
  int64_t at = 0;
  for (int l = 0; l < c->depth; l++) {
    linear layer = {};
    layer.in = l == 0 ? c->inputs : c->width;
    layer.out = l == c->depth - 1 ? c->outputs : c->width;
    layer.weights = at;
    layer.biases = at + layer.out * layer.in;
    at = layer.biases + layer.out;
    net->layers.push_back(layer);
  }
  net->count = at;
}

/* Those between the first and the last. */
wal_status create_layers(mlp_cuda *net) {
  const wal_layers_shape shape = {net->config.width, net->config.max_rows, net->config.activation,
                                  net->config.precision};
  return net->config.depth < 3 ? WAL_OK : wal_layers_create(&shape, &net->hidden_layers);
}

/* Parts of the gradient: as many slices as any batch up to max_rows has, 16-byte aligned. */
wal_status allocate_parts(mlp_cuda *net) {
  const int64_t rows = net->config.max_rows, last = net->config.depth - 1;
  int64_t total = 0;
  std::vector<int64_t> w_at, b_at;
  for (int64_t l = 0; l <= last; l++) {
    const linear &layer = net->layers[static_cast<size_t>(l)];
    const wal_end end = end_of(net, static_cast<int>(l));
    const int64_t slices =
        l == 0 || l == last ? wal_end_slices(&end, rows) : wal_layer_slices(rows, net->config.width);
    w_at.push_back(total);
    b_at.push_back(total += (slices * layer.in * layer.out + 3) / 4 * 4);
    total += (wal_row_slices(rows) * layer.out + 3) / 4 * 4;
  }
  WAL_TRY(net->parts.allocate(total, "the parts of a network's gradient", "its width"));
  for (size_t l = 0; l < net->layers.size(); l++) {
    net->layers[l].dw = net->parts.data() + w_at[l];
    net->layers[l].db = net->parts.data() + b_at[l];
  }
  return WAL_OK;
}

wal_status allocate(mlp_cuda *net) {
  const wal_mlp_config *c = &net->config;
  const int64_t layer = c->max_rows * c->width * static_cast<int64_t>(wal_stored_bytes(c->precision));
  const char *const lower = "the network's batch or width";
  for (int i = 0; i < STATES; i++)
    WAL_TRY(net->state[i].allocate(net->count, "a network's parameters", lower));
  if (is_bf16(net)) WAL_TRY(net->w16.allocate(net->count, "a network's parameters", lower));
  WAL_TRY(net->adam.allocate(1, "Adam's step counter", lower));
  WAL_TRY(net->hidden.allocate((c->depth - 1) * layer, "a network's activations", lower));
  if (c->activation == WAL_SILU)
    WAL_TRY(net->before.allocate((c->depth - 1) * layer, "a network's activations", lower));
  if (c->depth > 1)
    for (int i = 0; i < 2; i++)
      WAL_TRY(net->delta[i].allocate(layer, "the derivatives of a network's activations", lower));
  return allocate_parts(net);
}

/* The initial parameters, the CPU's; everything else zero. */
wal_status begin(mlp_cuda *net) {
  const wal_session *session;
  const wal_adam_state none = {};
  WAL_TRY(wal_session_get(&session));
  std::vector<float> parameters(static_cast<size_t>(net->count));
  wal_mlp_draw(&net->config, parameters.data());
  WAL_TRY(set(&net->base, 0, parameters.data()));
  for (int i = 1; i < STATES; i++)
    WAL_CUDA_TRY(cudaMemsetAsync(net->state[i].data(), 0, static_cast<size_t>(net->count) * sizeof(float),
                                 session->stream));
  return wal_upload(net->adam.data(), &none, 1);
}

wal_status create(const wal_mlp_config *config, wal_mlp **out) {
  *out = nullptr;
  WAL_TRY(wal_mlp_check(config));
  mlp_cuda *net = new (std::nothrow) mlp_cuda();
  if (!net) return wal_fail(WAL_E_MEMORY, "no memory for a network");
  net->base.ops = &wal_mlp_cuda;
  net->config = *config;
  net->rows = -1;
  lay_out(net);
  wal_status status = create_layers(net);
  if (!status) status = allocate(net);
  if (!status) status = begin(net);
  if (status) return destroy(&net->base), status;
  *out = &net->base;
  return WAL_OK;
}

}  // namespace

const wal_mlp_ops wal_mlp_cuda = {"cuda",          create, destroy, forward, backward,  step,  infer,
                                  parameter_count, get,    set,     steps,   set_steps, engine};

/* ---- the interface for gpu/ ---- */

wal_status wal_mlp_device_prepare(wal_mlp *net, int64_t rows) {
  WAL_TRY(check_rows(of(net), rows));
  return prepare(of(net), rows, true);
}

wal_status wal_mlp_device_forward(wal_mlp *net, int64_t rows, const float *x, float *y) {
  return forward_device(of(net), rows, x, y);
}

wal_status wal_mlp_device_backward(wal_mlp *net, const float *x, const float *dy, float *dx) {
  return backward_device(of(net), x, dy, dx);
}

wal_status wal_mlp_device_step(wal_mlp *net) { return step_device(of(net)); }
float *wal_mlp_device_rate(wal_mlp *net) { return &of(net)->adam.data()->rate; }
wal_status wal_mlp_device_set_rate(wal_mlp *net, float rate) { return set_rate(of(net), rate); }
wal_status wal_mlp_device_infer(wal_mlp *net, int64_t rows, const float *x, float *y) {
  return infer_device(of(net), rows, x, y);
}
int64_t wal_mlp_device_infer_rows(const wal_mlp *net) { return of(net)->config.max_rows; }
const wal_mlp_config *wal_mlp_device_config(const wal_mlp *net) { return &of(net)->config; }
const float *wal_mlp_device_parameters(const wal_mlp *net) { return of(net)->state[0].data(); }
const float *wal_mlp_device_gradient(const wal_mlp *net) { return of(net)->state[1].data(); }
