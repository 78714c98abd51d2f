/* The neural-network seam: a fully connected network with its own Adam state, float32.
   Members: the CPU's (models/nn/mlp_cpu.c) and gpu/nn's for CUDA; both can live in one process. */
#ifndef WAL_NN_MLP_H
#define WAL_NN_MLP_H

#include <stdint.h>

#include "models/common/status.h"

typedef enum { WAL_RELU, WAL_TANH, WAL_SILU } wal_activation;

/* How the products of the hidden layers are computed; the first and the last layer, all sums, the parameters
   and Adam's moments are float32 in each. WAL_TF32: factors rounded to 10 bits after the point. WAL_BF16: to
   7 bits, and what is kept between layers is stored so. The CPU has WAL_FLOAT32 only. */
typedef enum { WAL_FLOAT32, WAL_TF32, WAL_BF16 } wal_precision;

typedef struct {
  int inputs, outputs; /* >= 1 */
  int width;           /* hidden width, >= 1 */
  int depth;           /* linear layers, >= 1: depth 5 = in->w, w->w x3, w->out; the last has no activation */
  wal_activation activation;
  int64_t max_rows; /* largest batch that forward() will see */
  uint64_t seed;    /* W, b ~ U(-1/sqrt(fan_in), 1/sqrt(fan_in)), stream WAL_STREAM_WEIGHTS */
  wal_precision precision;
} wal_mlp_config;

typedef struct wal_mlp wal_mlp;
typedef struct wal_mlp_ops wal_mlp_ops;
struct wal_mlp_ops {
  const char *name; /* "cpu", "cuda" */
  wal_status (*create)(const wal_mlp_config *config, wal_mlp **out);
  void (*destroy)(wal_mlp *net); /* accepts NULL */
  /* x[rows, inputs] -> y[rows, outputs], row-major; rows <= max_rows. Keeps what backward() needs. */
  wal_status (*forward)(wal_mlp *net, int64_t rows, const float *x, float *y);
  /* dy[rows, outputs] of the last forward(); overwrites the gradient; dx[rows, inputs] may be NULL. x must
     still hold what forward() was given. */
  wal_status (*backward)(wal_mlp *net, const float *x, const float *dy, float *dx);
  /* One Adam step (b1 0.9, b2 0.999, eps 1e-8, bias-corrected) at rate lr with the last gradient. */
  wal_status (*step)(wal_mlp *net, float lr);
  /* forward() without keeping anything, any rows >= 0: x[rows, inputs] -> y[rows, outputs] with the bits of
     forward()'s rows. Several threads may call it at once, unless another changes the network. */
  wal_status (*infer)(const wal_mlp *net, int64_t rows, const float *x, float *y);
  int64_t (*parameter_count)(const wal_mlp *net);
  /* which: 0 parameters, 1 gradient, 2 Adam's first moment, 3 its second. Layer by layer: W[out, in] then
     b[out]. out/in: [parameter_count]. */
  wal_status (*get)(const wal_mlp *net, int which, float *out);
  wal_status (*set)(wal_mlp *net, int which, const float *in);
  /* Adam's step counter, to resume to the same bits. */
  int64_t (*steps)(const wal_mlp *net);
  wal_status (*set_steps)(wal_mlp *net, int64_t steps);
  /* What computes the layers, to be recorded beside results: "cpu". Lives as long as net. */
  const char *(*engine)(const wal_mlp *net);
};
struct wal_mlp {
  const wal_mlp_ops *ops;
};

extern const wal_mlp_ops wal_mlp_cpu;

/* A network on the device of this process (models/common/device.h), and its end; accepts NULL. */
wal_status wal_mlp_create(const wal_mlp_config *config, wal_mlp **out);
void wal_mlp_destroy(wal_mlp *net);

/* "float32", "tf32" or "bf16"; WAL_E_INPUT for another name. */
wal_status wal_precision_parse(const char *name, wal_precision *out);
const char *wal_precision_name(wal_precision precision);

/* What the members share. */
wal_status wal_mlp_check(const wal_mlp_config *config);   /* WAL_E_INPUT: a size or name is out of range */
int64_t wal_mlp_parameters(const wal_mlp_config *config); /* parameter_count of such a network */
void wal_mlp_draw(const wal_mlp_config *config,
                  float *out); /* out[parameters]: the initial ones, in the seam's order */

#endif
