/* A batch of instances that is on the device already. Private to gpu/mechanism. */
#ifndef WAL_GPU_MECHANISM_TASK_H
#define WAL_GPU_MECHANISM_TASK_H

#include "gpu/base/array.h"
#include "gpu/mechanism/pf.h"

/* Arrays on the device, as wal_pf_vjp has them. */
struct wal_pf_task {
  wal_instances in;
  const double *z, *da;     /* or NULL */
  wal_pf_solution out;      /* a, and what else is wanted */
  wal_pf_gradient gradient; /* da not NULL: what is wanted */
  double tol;
  int max_steps;
  bool strict;          /* an instance whose residual is not certified is not solved */
  unsigned char *doubt; /* [K] 1: not solved here */
};

/* Tolerance and steps by the options. */
void wal_pf_task_options(const wal_pf_options *options, wal_pf_task *task);

/* Queues the solution; rooms: what it needs besides, kept until the stream is done. */
wal_status wal_pf_launch(const wal_pf_task &task, wal_device_array<double> *rooms);

#endif
