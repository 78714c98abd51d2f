/* A control without a network: proportional fairness of clipped values.

   Most of what lies gain under PF is gained by claiming little value for what is not scarce. A resource is
   contested where the demands of the agents that take part exceed its budget. With L = log v of an agent,
   over the resources that it wants:
   - contested ones stay within clip_both / 2 of the mean of their L;
   - the others count at least exp(-clip_one) times the largest of the contested ones.
   With two resources: the log ratio is clipped at clip_one towards a lone contested resource, and to
   [-clip_both, clip_both] where both are contested. */
#include <math.h>
#include <stdlib.h>

#include "models/common/vmath.h"
#include "models/mechanism/pf_open.h"
#include "models/mechanism/plain.h"

static wal_status create(int n, int m, const wal_mechanism_options *options, wal_mechanism **out) {
  if (!(options->clip_one >= 0) || !(options->clip_both >= 0))
    return wal_fail(WAL_E_INPUT,
                    "clip_one is %g, clip_both %g; expected limits of 0 or more (0.35 and 0.4 "
                    "work)",
                    options->clip_one, options->clip_both);
  return wal_plain_create(&wal_mechanism_clip, n, m, options, out);
}

static bool wanted(const wal_instances *in, int64_t e) { return in->v[e] > 0 && in->x[e] > 0; }

/* What the clipping of one agent looks at. */
typedef struct {
  int count;   /* contested resources that it wants */
  double mean; /* of their log v */
  double top;  /* largest of their clipped log v */
  int at;      /* the resource of `top` */
} view;

static double clipped(const wal_mechanism *f, const view *q, double l) {
  const double half = f->options.clip_both / 2;
  return fmin(fmax(l, q->mean - half), q->mean + half);
}

static view look(const wal_mechanism *f, const wal_instances *in, int64_t row, const bool *scarce) {
  view q = {.top = -INFINITY, .at = -1};
  for (int m = 0; m < in->m; m++)
    if (scarce[m] && wanted(in, row + m)) q.count++, q.mean += wal_log(in->v[row + m]);
  if (q.count) q.mean /= q.count;
  for (int m = 0; m < in->m; m++) {
    if (!scarce[m] || !wanted(in, row + m)) continue;
    const double l = clipped(f, &q, wal_log(in->v[row + m]));
    if (l > q.top) q.top = l, q.at = m;
  }
  return q;
}

static void map_agent(const wal_mechanism *f, const wal_instances *in, int64_t row, const bool *scarce,
                      const double *unused, double *mapped) {
  (void)unused;
  const view q = look(f, in, row, scarce);
  for (int m = 0; m < in->m; m++) {
    mapped[m] = in->v[row + m];
    if (!wanted(in, row + m)) continue;
    const double l = wal_log(in->v[row + m]);
    const double to = scarce[m] ? clipped(f, &q, l) : fmax(l, q.top - f->options.clip_one);
    if (to != l) mapped[m] = in->v[row + m] * wal_exp(to - l);
  }
}

/* A flag for each resource, malloc'd; NULL: no memory. */
static bool *scarcity(const wal_instances *in, int64_t k) {
  bool *scarce = malloc((size_t)in->m * sizeof *scarce);
  for (int m = 0; scarce && m < in->m; m++) scarce[m] = wal_pf_contested(in, k, m);
  return scarce;
}

typedef void (*agent_fn)(const wal_mechanism *f, const wal_instances *in, int64_t row, const bool *scarce,
                         const double *mapped, double *out);

static wal_status for_agents(const wal_mechanism *f, const wal_instances *in, int64_t k, agent_fn body,
                             const double *mapped, double *out) {
  bool *scarce = scarcity(in, k);
  if (!scarce) return wal_fail(WAL_E_MEMORY, "no memory for %d resources", in->m);
  for (int i = 0; i < in->n; i++)
    body(f, in, (k * in->n + i) * in->m, scarce, mapped ? mapped + i * in->m : NULL, out + i * in->m);
  free(scarce);
  return WAL_OK;
}

static wal_status map(const wal_mechanism *f, const wal_instances *in, int64_t k, double *mapped) {
  return for_agents(f, in, k, map_agent, NULL, mapped);
}

/* With g = v~ dv~, the gradient in the mapped logarithms: a value that was not moved keeps its own; what was
   raised for `top` belongs to that one; what a limit holds belongs to the mean. */
static void pull_agent(const wal_mechanism *f, const wal_instances *in, int64_t row, const bool *scarce,
                       const double *mapped, double *dv) {
  const view q = look(f, in, row, scarce);
  double held = 0, raised = 0;
  for (int m = 0; m < in->m; m++) {
    if (scarce[m] || !wanted(in, row + m) || mapped[m] == in->v[row + m]) continue;
    raised += mapped[m] * dv[m];
    dv[m] = 0;
  }
  for (int m = 0; m < in->m; m++) {
    if (!scarce[m] || !wanted(in, row + m)) continue;
    const double g = mapped[m] * dv[m] + (m == q.at ? raised : 0);
    const bool moved = mapped[m] != in->v[row + m];
    if (moved) held += g;
    dv[m] = moved ? 0 : g;
  }
  for (int m = 0; m < in->m; m++)
    if (scarce[m] && wanted(in, row + m)) dv[m] = (dv[m] + held / q.count) / in->v[row + m];
}

static wal_status pull(const wal_mechanism *f, const wal_instances *in, int64_t k, const double *mapped,
                       double *dv) {
  return for_agents(f, in, k, pull_agent, mapped, dv);
}

static const wal_value_map clips = {map, pull};

static wal_status allocate(const wal_mechanism *f, const wal_instances *in, double *a) {
  return wal_mapped_allocate(f, &clips, in, a);
}

static wal_status vjp(wal_mechanism *f, const wal_instances *in, const double *da, double *dv, double *dx) {
  return wal_mapped_vjp(f, &clips, in, da, dv, dx);
}

const wal_mechanism_kind wal_mechanism_clip = {
    .name = "clip",
    .title = "PF of clipped values",
    .source = "ours: a control without a network",
    .learned = false,
    .create = create,
    .destroy = wal_plain_destroy,
    .allocate = allocate,
    .vjp = vjp,
};
