#include "models/mechanism/mechanism.h"

#include <stddef.h>
#include <string.h>

#include "models/mechanism/mechanisms.h"

const wal_mechanism_kind *const wal_mechanism_kinds[] = {
    &wal_mechanism_pf,
    &wal_mechanism_pa,
    &wal_mechanism_mixture,
    &wal_mechanism_clip,
    &wal_mechanism_vtheta,
    &wal_mechanism_uniform,
    &wal_mechanism_exs,
    &wal_mechanism_softmax,
    &wal_mechanism_rpf,
    &wal_mechanism_rpf_equivariant,
    &wal_mechanism_rpf_monotone,
    &wal_mechanism_rpf_separable,
    NULL,
};

const wal_mechanism_kind *wal_mechanism_find(const char *name) {
  for (int k = 0; wal_mechanism_kinds[k]; k++)
    if (strcmp(wal_mechanism_kinds[k]->name, name) == 0) return wal_mechanism_kinds[k];
  return NULL;
}

wal_mechanism_options wal_mechanism_defaults(void) {
  return (wal_mechanism_options){.rho = 0.5,
                                 .theta = 0.35,
                                 .clip_one = 0.35,
                                 .clip_both = 0.4,
                                 .seed = 1,
                                 .polish = true,
                                 .max_batch = 4096};
}

wal_status wal_mechanism_create(const char *name, int n, int m, const wal_mechanism_options *options,
                                wal_mechanism **out) {
  const wal_mechanism_options standard = wal_mechanism_defaults();
  const wal_mechanism_kind *kind = wal_mechanism_find(name);
  *out = NULL;
  if (!kind)
    return wal_fail(
        WAL_E_INPUT,
        "there is no mechanism \"%.40s\"; expected pf, pa, mixture, clip, vtheta, uniform, exs, softmax, "
        "rpf, rpf_equivariant, rpf_monotone or rpf_separable",
        name);
  if (n < 1 || m < 1)
    return wal_fail(WAL_E_INPUT, "%d agents and %d resources; expected at least 1 of each (2 and 2 work)", n,
                    m);
  return kind->create(n, m, options ? options : &standard, out);
}

void wal_mechanism_destroy(wal_mechanism *f) {
  if (f) f->kind->destroy(f);
}

int wal_mechanism_lots(const wal_mechanism *f, const wal_mechanism *part[WAL_LOTS],
                       double probability[WAL_LOTS]) {
  if (f->kind->lots) return f->kind->lots(f, part, probability), WAL_LOTS;
  part[0] = f;
  probability[0] = 1;
  return 1;
}

wal_status wal_mechanism_allocate(const wal_mechanism *f, const wal_instances *in, double *a) {
  if (in->n != f->n || in->m != f->m)
    return wal_fail(WAL_E_INPUT, "instances of %d agents and %d resources; this %s is for %d and %d", in->n,
                    in->m, f->kind->name, f->n, f->m);
  return f->kind->allocate(f, in, a);
}
