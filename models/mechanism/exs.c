/* ExS-Net: for each resource a softmax over the agents and one synthetic agent, whose share is withheld; what
   an agent is given beyond its demand is withheld too. */
#include "models/mechanism/feedforward.h"
#include "models/mechanism/mechanisms.h"

static wal_learned_shape shape(int n, int m) {
  return (wal_learned_shape){.rows = 1,
                             .inputs = wal_feedforward_inputs(n, m),
                             .outputs = (n + 1) * m,
                             .width = 64,
                             .depth = 3,
                             .activation = WAL_RELU};
}

static wal_status decode(const wal_learned *f, const wal_learned_batch *q, const float *y, double *a) {
  (void)f;
  return wal_shares_decode(q->in.n + 1, &q->in, y, a);
}

static wal_status decode_vjp(const wal_learned *f, const wal_learned_batch *q, const float *y,
                             const double *da, float *dy, double *dv, double *dx) {
  (void)f;
  return wal_shares_vjp(q->in.n + 1, &q->in, y, da, dy, dv, dx);
}

static const wal_learned_ops ops = {
    .shape = shape,
    .encode = wal_feedforward_encode,
    .encode_vjp = wal_feedforward_encode_vjp,
    .decode = decode,
    .decode_vjp = decode_vjp,
};

static wal_status create(int n, int m, const wal_mechanism_options *options, wal_mechanism **out) {
  return wal_learned_create(&wal_mechanism_exs, &ops, n, m, options, out);
}

const wal_mechanism_kind wal_mechanism_exs = {
    .name = "exs",
    .title = "ExS-Net",
    .source = "Zeng et al. (2024), as rpfnet, section 6 describes it",
    .learned = true,
    .create = create,
    .destroy = wal_learned_destroy,
    .allocate = wal_learned_allocate,
    .vjp = wal_learned_vjp,
};
