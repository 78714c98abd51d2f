/* RPF-Net as the paper has it (eq. 9): a feed-forward network z(v, x, b), then PF with <a, z> added. The last
   layer is linear, so z has either sign: eq. 9 puts no bound on it, and softplus, z >= 0, can only take away
   from what an agent gets, not give. z is in units of the value of an equal share, N / b_m, as v_im / u_i is.
 */
#include <stdlib.h>
#include <string.h>

#include "models/mechanism/feedforward.h"
#include "models/mechanism/plain.h"

static wal_learned_shape shape(int n, int m) {
  return (wal_learned_shape){.rows = 1,
                             .inputs = wal_feedforward_inputs(n, m),
                             .outputs = n * m,
                             .width = 64,
                             .depth = 3,
                             .activation = WAL_RELU};
}

/* z [K, N, M] from units of N / b_m; or a gradient in z into one in these units. */
static void scale(const wal_instances *in, double *z) {
  const int64_t nm = (int64_t)in->n * in->m;
  for (int64_t k = 0; k < in->count; k++)
    for (int j = 0; j < in->m; j++) {
      const double b = in->b[k * in->m + j], unit = b > 0 ? in->n / b : 0;
      for (int64_t e = k * nm + j; e < (k + 1) * nm; e += in->m) z[e] *= unit;
    }
}

/* z [K, N, M], malloc'd; NULL: no memory. */
static double *regulariser(const wal_instances *in, const float *y) {
  const int64_t cells = in->count * in->n * in->m;
  double *z = malloc((size_t)cells * sizeof *z);
  if (!z) return NULL;
  for (int64_t e = 0; e < cells; e++) z[e] = y[e];
  scale(in, z);
  return z;
}

static wal_status no_memory(int64_t count) {
  return wal_fail(WAL_E_MEMORY, "no memory for the regulariser z of %lld instances", (long long)count);
}

static wal_status decode(const wal_learned *f, const wal_learned_batch *q, const float *y, double *a) {
  const wal_instances *in = &q->in;
  const wal_pf_options options = wal_plain_pf_options(&f->base);
  double *z = regulariser(in, y);
  const wal_status status =
      z ? wal_pf_solve(in, z, &options, &(wal_pf_solution){.a = a}) : no_memory(in->count);
  free(z);
  return status;
}

static wal_status decode_vjp(const wal_learned *f, const wal_learned_batch *q, const float *y,
                             const double *da, float *dy, double *dv, double *dx) {
  const wal_instances *in = &q->in;
  const int64_t cells = in->count * in->n * in->m;
  const wal_pf_options options = wal_plain_pf_options(&f->base);
  double *z = regulariser(in, y), *dz = malloc((size_t)cells * sizeof *dz);
  wal_status status = z && dz ? WAL_OK : no_memory(in->count);
  if (!status)
    status = wal_pf_vjp(in, z, da, &options, NULL, &(wal_pf_gradient){.dv = dv, .dx = dx, .dz = dz});
  if (!status) scale(in, dz);
  for (int64_t e = 0; !status && e < cells; e++) dy[e] = (float)dz[e];
  free(z), free(dz);
  return status;
}

static const wal_learned_ops ops = {
    .shape = shape,
    .encode = wal_feedforward_encode,
    .encode_vjp = wal_feedforward_encode_vjp,
    .decode = decode,
    .decode_vjp = decode_vjp,
};

static wal_status create(int n, int m, const wal_mechanism_options *options, wal_mechanism **out) {
  return wal_learned_create(&wal_mechanism_rpf, &ops, n, m, options, out);
}

const wal_mechanism_kind wal_mechanism_rpf = {
    .name = "rpf",
    .title = "RPF-Net",
    .source = "rpfnet, section 3, eq. 9",
    .learned = true,
    .create = create,
    .destroy = wal_learned_destroy,
    .allocate = wal_learned_allocate,
    .vjp = wal_learned_vjp,
};
