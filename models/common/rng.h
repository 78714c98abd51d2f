/* Random numbers: Random123 Philox4x32-10, key = seed, counter = (index, stream).
   Any element can be drawn alone, in any order, on any device; there is no state. */
#ifndef WAL_COMMON_RNG_H
#define WAL_COMMON_RNG_H

#include <stdint.h>

/* One stream per purpose, so that no two purposes ever share numbers. Append only. */
typedef enum {
  WAL_STREAM_BUYERS = 1,  /* buyer contexts b_i */
  WAL_STREAM_GOODS = 2,   /* good contexts g_j */
  WAL_STREAM_WEIGHTS = 3, /* initial network parameters */
  WAL_STREAM_BATCH = 4,   /* which buyers a minibatch takes */
  WAL_STREAM_SWEEP = 5,   /* `random` sweeps of a config */
  WAL_STREAM_TEST = 6,    /* instances drawn by tests and benchmarks */
  WAL_STREAM_START = 7,   /* random starting points of solvers */
} wal_stream;

/* The raw 128-bit block number `index` of a stream. */
void wal_rng_block(uint64_t seed, uint32_t stream, uint64_t index, uint32_t out[4]);

/* Element `index` of the stream's uniforms: in (0, 1), 53 bits, never 0 or 1.
   Block index/2 serves elements 2k and 2k+1. */
double wal_rng_uniform(uint64_t seed, uint32_t stream, uint64_t index);

/* Element `index` of the stream's standard normals (Box-Muller pairs over uniforms 2k, 2k+1). */
double wal_rng_normal(uint64_t seed, uint32_t stream, uint64_t index);

/* Element `index` of the stream's Exp(1) variates: -log of the uniform. */
double wal_rng_exponential(uint64_t seed, uint32_t stream, uint64_t index);

/* Element `index` of the stream's integers, uniform on [0, bound). bound >= 1. */
uint64_t wal_rng_below(uint64_t seed, uint32_t stream, uint64_t index, uint64_t bound);

#endif
