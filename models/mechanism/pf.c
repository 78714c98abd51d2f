#include "models/mechanism/pf.h"

wal_pf_options wal_pf_defaults(void) {
  return (wal_pf_options){.tol = 1e-9, .max_steps = 100, .polish = true};
}

wal_status wal_pf_solve(const wal_instances *in, const double *z, const wal_pf_options *options,
                        const wal_pf_solution *out) {
  (void)in, (void)z, (void)options, (void)out;
  return wal_fail(WAL_E_UNSUPPORTED, "the PF solver is not there yet");
}

wal_status wal_pf_vjp(const wal_instances *in, const double *z, const double *da,
                      const wal_pf_options *options, const wal_pf_solution *out,
                      const wal_pf_gradient *gradient) {
  (void)in, (void)z, (void)da, (void)options, (void)out, (void)gradient;
  return wal_fail(WAL_E_UNSUPPORTED, "the PF solver is not there yet");
}
