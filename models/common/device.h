/* The seam `device`: which processor runs the heavy parts of the models. Every seam that another processor
   can implement has a row here; its own header says what a member does. The CPU's members are always there.
 */
#ifndef WAL_COMMON_DEVICE_H
#define WAL_COMMON_DEVICE_H

struct wal_mlp_ops;     /* models/nn/mlp.h */
struct wal_dual_ops;    /* models/market/dual.h */
struct wal_measure_ops; /* models/market/welfare.h */
struct wal_descent_ops; /* models/market/descent.h */
struct wal_fc_ops;      /* models/market/fc_device.h */
struct wal_pf_ops;      /* models/mechanism/pf.h */
struct wal_search_ops;  /* models/mechanism/attack_report.h */

typedef struct {
  const char *name; /* "cpu", "cuda" */
  /* NULL: this device has none, and the CPU's member is used. */
  const struct wal_mlp_ops *mlp;
  const struct wal_dual_ops *dual;
  const struct wal_measure_ops *measure;
  const struct wal_descent_ops *descent;
  const struct wal_fc_ops *fc;
  const struct wal_pf_ops *pf;
  const struct wal_search_ops *search;
} wal_device;

extern const wal_device wal_device_cpu; /* no rows: the CPU's members everywhere */

/* The device of this process: the CPU unless another was chosen. Choose once, before any work: what one
   device has made (a network, a dual pass) stays with it, but new ones go to the new device. */
const wal_device *wal_device_now(void);
void wal_device_use(const wal_device *device); /* borrowed; NULL: the CPU */

#endif
