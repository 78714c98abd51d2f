/* Threads that work on one instance together: some lanes of a warp, so that a warp has several small
   instances, or a whole block. All members must be called by all threads of the warp (the block), whatever
   their team has left to do: teams of a warp run in step. */
#ifndef WAL_GPU_MECHANISM_TEAM_H
#define WAL_GPU_MECHANISM_TEAM_H

#include "gpu/base/reduce.h"

/* `size` lanes of a warp: 4, 8, 16 or 32. */
struct wal_team_lanes {
  int rank, size;
  enum { ALONG = 1 }; /* threads that share a sum over agents */

  __device__ void sync() const { __syncwarp(); }
  /* Barrier of those that leads() says. */
  __device__ void sync_leaders() const { __syncwarp(); }
  __device__ bool leads() const { return true; }
  __device__ int leaders() const { return size; }
  /* Whether x holds for any team of the warp; the largest x of them. */
  __device__ bool any(bool x) const { return __any_sync(WAL_FULL_WARP, x); }
  __device__ int most(int x) const { return wal_warp_max(x); }
  /* x of all members joined in a fixed tree, in every member. */
  template <class Join>
  __device__ double join(double x, Join join_two) const {
    for (int apart = 16; apart > 0; apart /= 2) {
      const double other = __shfl_xor_sync(WAL_FULL_WARP, x, apart);
      if (apart < size) x = join_two(x, other);
    }
    return x;
  }
};

/* A block of at most 1024 threads, a multiple of 32. */
struct wal_team_block {
  int rank, size;
  enum { ALONG = 32 };

  __device__ void sync() const { __syncthreads(); }
  __device__ void sync_leaders() const { __syncwarp(); }
  __device__ bool leads() const { return rank < 32; }
  __device__ int leaders() const { return 32; }
  __device__ bool any(bool x) const { return x; } /* the team's own: the same in every member */
  __device__ int most(int x) const { return x; }
  template <class Join>
  __device__ double join(double x, Join join_two) const {
    __shared__ double part[32];
    for (int apart = 16; apart > 0; apart /= 2) x = join_two(x, __shfl_xor_sync(WAL_FULL_WARP, x, apart));
    __syncthreads(); /* an earlier call's parts have been read */
    if (rank % 32 == 0) part[rank / 32] = x;
    __syncthreads();
    x = part[0];
    for (int w = 1; w < size / 32; w++) x = join_two(x, part[w]);
    return x;
  }
};

struct wal_add {
  __device__ double operator()(double a, double b) const { return a + b; }
};
struct wal_larger {
  __device__ double operator()(double a, double b) const { return a > b ? a : b; }
};

/* keep(item, term(item, 0) + ... + term(item, n - 1)) for items 0 .. count - 1, in a fixed order; no barrier.
 */
template <class Team, class Term, class Join, class Keep>
__device__ void wal_join_agents(const Team &team, int count, int n, double none, Term term, Join join_two,
                                Keep keep) {
  for (int item = team.rank / Team::ALONG; item < count; item += team.size / Team::ALONG) {
    double x = none;
    for (int i = team.rank % Team::ALONG; i < n; i += Team::ALONG) x = join_two(x, term(item, i));
    for (int apart = Team::ALONG / 2; apart > 0; apart /= 2)
      x = join_two(x, __shfl_xor_sync(WAL_FULL_WARP, x, apart));
    if (team.rank % Team::ALONG == 0) keep(item, x);
  }
}

#endif
