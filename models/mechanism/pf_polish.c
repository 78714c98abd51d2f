#include "models/mechanism/pf_polish.h"

#include <stdlib.h>

struct wal_pf_polish {
  int n, m;
};

wal_status wal_pf_polish_create(int n, int m, wal_pf_polish **out) {
  wal_pf_polish *p = *out = malloc(sizeof *p);
  if (!p) return wal_fail(WAL_E_MEMORY, "no memory for a polish of %d x %d", n, m);
  *p = (wal_pf_polish){n, m};
  return WAL_OK;
}

void wal_pf_polish_destroy(wal_pf_polish *room) { free(room); }

double wal_pf_polish_instance(wal_pf_polish *room, const wal_instances *in, int64_t k, const double *z,
                              const wal_pf_solution *point) {
  const wal_instances one = wal_instances_part(in, k, 1);
  double kkt;
  (void)room;
  wal_pf_kkt(&one, z, point, &kkt);
  return kkt;
}

wal_status wal_pf_unique(const wal_instances *in, const double *z, const double *a, bool *unique) {
  (void)z, (void)a;
  for (int64_t k = 0; k < in->count; k++) unique[k] = true;
  return wal_fail(WAL_E_UNSUPPORTED, "uniqueness is not told yet");
}
