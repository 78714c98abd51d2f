/* Random numbers: Philox4x32-10 (philox.h), key = seed, counter = (index, stream).
   Any element can be drawn alone, in any order, on any device; there is no state. */
#ifndef WAL_COMMON_RNG_H
#define WAL_COMMON_RNG_H

#include <stdint.h>

/* One stream per purpose, so that no two purposes ever share numbers. Append only. */
typedef enum {
  WAL_STREAM_BUYERS = 1,    /* buyer contexts b_i */
  WAL_STREAM_GOODS = 2,     /* good contexts g_j */
  WAL_STREAM_WEIGHTS = 3,   /* initial network parameters */
  WAL_STREAM_BATCH = 4,     /* which buyers a minibatch takes */
  WAL_STREAM_SWEEP = 5,     /* `random` sweeps of a config */
  WAL_STREAM_TEST = 6,      /* instances drawn by tests and benchmarks */
  WAL_STREAM_START = 7,     /* random starting points of solvers */
  WAL_STREAM_SAMPLE = 8,    /* which buyers a sample of the population takes */
  WAL_STREAM_ORDER = 9,     /* in which order blocks of buyers are visited */
  WAL_STREAM_ITEMS = 10,    /* which items arrive */
  WAL_STREAM_TRAINING = 11, /* instances that a mechanism is trained on */
  WAL_STREAM_HELD_OUT = 12, /* instances that it is measured on */
  WAL_STREAM_ATTACK = 13,   /* reports that a search for misreports tries */
  WAL_STREAM_INSTANCES = 14, /* random markets of a family */
  WAL_STREAM_SEARCH = 15,    /* starts of searches for equilibria */
} wal_stream;

/* The generator itself, as Random123 defines it: out = Philox4x32-10(counter, key). */
void wal_philox(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4]);

/* The raw 128-bit block number `index` of a stream: counter (index low, index high, stream, 0), key (seed
   low, seed high). */
void wal_rng_block(uint64_t seed, uint32_t stream, uint64_t index, uint32_t out[4]);

/* Element `index` of the stream's uniforms: an odd multiple of 2^-53 in (0, 1), never 0 or 1.
   Block index/2 serves elements 2k and 2k+1. */
double wal_rng_uniform(uint64_t seed, uint32_t stream, uint64_t index);

/* Element `index` of the stream's standard normals (Box-Muller pairs over uniforms 2k, 2k+1). */
double wal_rng_normal(uint64_t seed, uint32_t stream, uint64_t index);

/* Element `index` of the stream's Exp(1) variates: -log of the uniform. */
double wal_rng_exponential(uint64_t seed, uint32_t stream, uint64_t index);

/* Elements [first, first + count) into out[count]: the same bits as one by one, several times faster. */
void wal_rng_uniforms(uint64_t seed, uint32_t stream, uint64_t first, int64_t count, double *out);
void wal_rng_normals(uint64_t seed, uint32_t stream, uint64_t first, int64_t count, double *out);
void wal_rng_exponentials(uint64_t seed, uint32_t stream, uint64_t first, int64_t count, double *out);

/* In float32, from the same words: elements 2b and 2b + 1 of the blocks b = first, first + step, ... into
   even[k] and odd[k], k < count. They differ from those above by at most
   2^-20 max(1, |x|), exponentials by 2^-20 |x|. A uniform may round to 1. */
void wal_rng_uniform_pairs32(uint64_t seed, uint32_t stream, uint64_t first, uint64_t step, int64_t count,
                             float *even, float *odd);
void wal_rng_normal_pairs32(uint64_t seed, uint32_t stream, uint64_t first, uint64_t step, int64_t count,
                            float *even, float *odd);
void wal_rng_exponential_pairs32(uint64_t seed, uint32_t stream, uint64_t first, uint64_t step, int64_t count,
                                 float *even, float *odd);

/* Element `index` of the stream's integers, uniform on [0, bound), to within 2^-64 of exactly. bound >= 1. */
uint64_t wal_rng_below(uint64_t seed, uint32_t stream, uint64_t index, uint64_t bound);

#endif
