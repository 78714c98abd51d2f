/* A block's threads as fibers on one CPU thread: each runs until it waits at a barrier or ends; when all that
   must meet there have come, they go on. */
#include "gpu/emulation/fibers.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <ucontext.h>

#include <algorithm>
#include <vector>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/common_interface_defs.h>
#endif

constinit thread_local dim3 threadIdx, blockIdx, blockDim, gridDim;

namespace {

enum : size_t { STACK = 256 * 1024, GUARD = 4096 };
enum waiting { READY, AT_BLOCK, AT_WARP, ENDED };
enum meeting { SYNC, SHUFFLE, SHUFFLED, VOTE, VOTED }; /* what lanes meet for */
enum pace { TOGETHER, FIRST_WARP_AHEAD, LAST_WARP_AHEAD };

struct fiber {
  ucontext_t start;
  jmp_buf resume;
  bool begun;
  waiting at;
  unsigned mask;  /* of the warp barrier it waits at */
  meeting why;    /* the same in all its lanes */
  uint64_t given; /* to the warp's exchange */
  dim3 index;
  unsigned char *stack;
  void *fake_stack; /* the address sanitizer's */
};

struct block_run {
  std::vector<fiber> fibers;
  std::vector<int> order; /* in which the threads are run */
  pace warps;
  size_t threads;
  fiber *current;
  ucontext_t main_start;
  jmp_buf main_resume;
  void *main_fake;
  const std::function<void()> *thread;
  std::vector<unsigned char> shared;
  unsigned char *shared_begin;
  const void *main_bottom;
  size_t main_size;
};
thread_local block_run run;

/* ---- switching ---- */

#if defined(__SANITIZE_ADDRESS__)
void leaving(void **fake, const void *bottom, size_t size) {
  __sanitizer_start_switch_fiber(fake, bottom, size);
}
void arrived(void *fake, const void **bottom, size_t *size) {
  __sanitizer_finish_switch_fiber(fake, bottom, size);
}
#else
void leaving(void **, const void *, size_t) {}
void arrived(void *, const void **, size_t *) {}
#endif

/* From a fiber back to the block's loop. */
__attribute__((noinline)) void to_main(fiber *f, bool ended) {
  leaving(ended ? nullptr : &f->fake_stack, run.main_bottom, run.main_size);
  if (_setjmp(f->resume) == 0) _longjmp(run.main_resume, 1);
  arrived(f->fake_stack, nullptr, nullptr);
}

void fiber_main() {
  arrived(nullptr, &run.main_bottom, &run.main_size);
  (*run.thread)();
  fiber *f = run.current;
  f->at = ENDED;
  to_main(f, true);
}

__attribute__((noinline)) void to_fiber(fiber *f) {
  run.current = f;
  threadIdx = f->index;
  leaving(&run.main_fake, f->stack, STACK);
  if (_setjmp(run.main_resume) == 0) {
    if (f->begun) _longjmp(f->resume, 1);
    f->begun = true;
    setcontext(&f->start);
  }
  arrived(run.main_fake, nullptr, nullptr);
}

void prepare(fiber *f) {
  if (!f->stack) {
    void *memory = mmap(nullptr, STACK + GUARD, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED || mprotect(memory, GUARD, PROT_NONE) != 0) {
      fprintf(stderr, "CUDA emulation: no memory for a thread's stack\n");
      abort();
    }
    f->stack = static_cast<unsigned char *>(memory) + GUARD;
  }
  f->begun = false;
  f->at = READY;
  getcontext(&f->start);
  f->start.uc_stack.ss_sp = f->stack;
  f->start.uc_stack.ss_size = STACK;
  f->start.uc_link = nullptr;
  makecontext(&f->start, fiber_main, 0);
}

/* ---- barriers ---- */

[[noreturn]] void deadlock() {
  fprintf(stderr, "CUDA emulation: block (%u, %u, %u): not all threads reach a barrier:\n", blockIdx.x,
          blockIdx.y, blockIdx.z);
  for (size_t t = 0; t < run.threads; t++) {
    static const char *const names[] = {"ready", "waits for its block", "waits for its warp", "has ended"};
    const waiting at = run.fibers[t].at;
    if (t < 64 || at != run.fibers[t - 1].at)
      fprintf(stderr, "  thread %zu %s%s\n", t, names[at], t >= 64 ? ", and those after it" : "");
  }
  abort();
}

/* Threads of a block that have not ended may go on once all of them wait there. */
bool release_block() {
  bool any = false;
  for (size_t t = 0; t < run.threads; t++) {
    if (run.fibers[t].at == ENDED) continue;
    if (run.fibers[t].at != AT_BLOCK) return false;
    any = true;
  }
  for (size_t t = 0; any && t < run.threads; t++)
    if (run.fibers[t].at == AT_BLOCK) run.fibers[t].at = READY;
  return any;
}

[[noreturn]] void different_meetings() {
  fprintf(stderr,
          "CUDA emulation: block (%u, %u, %u): lanes of a warp meet, some for a shuffle or vote, some not\n",
          blockIdx.x, blockIdx.y, blockIdx.z);
  abort();
}

/* Lanes of one warp that name the same mask may go on once all of them wait. Lanes that the block does not
   have count as there; lanes that have ended do too, as on a GPU. */
bool release_warp(size_t warp) {
  const size_t begin = warp * 32, end = std::min(begin + 32, run.threads);
  bool released = false;
  for (size_t t = begin; t < end; t++) {
    if (run.fibers[t].at != AT_WARP) continue;
    const unsigned mask = run.fibers[t].mask;
    bool all = true;
    for (size_t o = begin; o < end; o++)
      if ((mask >> (o - begin) & 1) && run.fibers[o].at != ENDED &&
          !(run.fibers[o].at == AT_WARP && run.fibers[o].mask == mask))
        all = false;
    if (!all) continue;
    for (size_t o = begin; o < end; o++) {
      if (!(mask >> (o - begin) & 1) || run.fibers[o].at != AT_WARP) continue;
      if (run.fibers[o].why != run.fibers[t].why) different_meetings();
      run.fibers[o].at = READY;
    }
    released = true;
  }
  return released;
}

void wait_for_warp(unsigned mask, meeting why) {
  fiber *f = run.current;
  f->mask = mask;
  f->why = why;
  f->at = AT_WARP;
  to_main(f, false);
}

size_t me() { return static_cast<size_t>(run.current - run.fibers.data()); }

/* ---- a block ---- */

/* Identity, reverse, or shuffled by a number: WAL_EMULATION_ORDER. "first" and "last": the first or the last
   warp runs ahead of the others until it must wait for them; else all keep the same pace. */
void choose_order() {
  run.order.resize(run.threads);
  for (size_t t = 0; t < run.threads; t++) run.order[t] = static_cast<int>(t);
  const char *text = getenv("WAL_EMULATION_ORDER");
  run.warps = TOGETHER;
  if (!text || !*text) return;
  if (strcmp(text, "first") == 0 || strcmp(text, "last") == 0) {
    run.warps = *text == 'f' ? FIRST_WARP_AHEAD : LAST_WARP_AHEAD;
    return;
  }
  if (strcmp(text, "reverse") == 0) {
    std::reverse(run.order.begin(), run.order.end());
    return;
  }
  uint64_t state = strtoull(text, nullptr, 10) * 2 + 1;
  for (size_t t = run.threads; t > 1; t--) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    std::swap(run.order[t - 1], run.order[(state >> 33) % t]);
  }
}

/* Runs those threads at places [begin, end) of the order that can; returns whether any did. */
bool run_ready(size_t begin, size_t end, size_t *ended) {
  bool moved = false;
  for (size_t k = begin; k < end; k++) {
    fiber *f = &run.fibers[static_cast<size_t>(run.order[k])];
    if (f->at != READY) continue;
    to_fiber(f);
    moved = true;
    if (f->at == ENDED) ++*ended;
  }
  return moved;
}

/* Every warp as far as it comes alone. */
bool run_apart(size_t *ended) {
  const size_t warps = (run.threads + 31) / 32;
  bool moved = false;
  for (size_t k = 0; k < warps; k++) {
    const size_t warp = run.warps == FIRST_WARP_AHEAD ? k : warps - 1 - k, begin = warp * 32;
    while (run_ready(begin, std::min(begin + 32, run.threads), ended)) {
      moved = true;
      release_warp(warp);
    }
  }
  return moved;
}

/* All threads to their next barrier. */
bool run_together(size_t *ended) {
  bool moved = run_ready(0, run.threads, ended);
  for (size_t warp = 0; warp * 32 < run.threads; warp++) moved |= release_warp(warp);
  return moved;
}

void run_block(dim3 block) {
  size_t t = 0;
  for (unsigned z = 0; z < block.z; z++)
    for (unsigned y = 0; y < block.y; y++)
      for (unsigned x = 0; x < block.x; x++, t++) {
        run.fibers[t].index = dim3(x, y, z);
        prepare(&run.fibers[t]);
      }
  for (size_t ended = 0; ended < run.threads;) {
    bool moved = run.warps == TOGETHER ? run_together(&ended) : run_apart(&ended);
    moved |= release_block();
    if (!moved && ended < run.threads) deadlock();
  }
}

}  // namespace

void __syncthreads(void) {
  run.current->at = AT_BLOCK;
  to_main(run.current, false);
}

void __syncwarp(unsigned mask) { wait_for_warp(mask, SYNC); }

int wal_emulation_lane(void) { return static_cast<int>(me() % 32); }

uint64_t wal_emulation_exchange(unsigned mask, uint64_t mine, int from) {
  const size_t t = me(), source = t / 32 * 32 + static_cast<size_t>(from);
  if (!(mask >> (t % 32) & 1) || from < 0 || from > 31) {
    fprintf(stderr, "CUDA emulation: lane %zu is not in its own shuffle's mask %#x, or reads lane %d\n",
            t % 32, mask, from);
    abort();
  }
  run.current->given = mine;
  wait_for_warp(mask, SHUFFLE);
  const uint64_t got = source < run.threads ? run.fibers[source].given : ~UINT64_C(0);
  wait_for_warp(mask, SHUFFLED); /* all have read */
  return got;
}

unsigned wal_emulation_vote(unsigned mask, bool mine) {
  const size_t begin = me() / 32 * 32;
  run.current->given = mine;
  wait_for_warp(mask, VOTE);
  unsigned votes = 0;
  for (size_t lane = 0; lane < 32 && begin + lane < run.threads; lane++)
    if ((mask >> lane & 1) && run.fibers[begin + lane].at != ENDED && run.fibers[begin + lane].given)
      votes |= 1u << lane;
  wait_for_warp(mask, VOTED);
  return votes;
}

void *wal_emulation_shared(void) { return run.shared_begin; }

void wal_fibers_run(dim3 grid, dim3 block, size_t shared, const std::function<void()> &thread) {
  run.threads = static_cast<size_t>(block.x) * block.y * block.z;
  if (run.fibers.size() < run.threads) run.fibers.resize(1024);
  run.thread = &thread;
  run.shared.assign(shared + 32, 0xFF); /* not zero, as on a GPU */
  run.shared_begin =
      reinterpret_cast<unsigned char *>((reinterpret_cast<uintptr_t>(run.shared.data()) + 15) / 16 * 16);
  blockDim = block, gridDim = grid;
  choose_order();
  for (unsigned z = 0; z < grid.z; z++)
    for (unsigned y = 0; y < grid.y; y++)
      for (unsigned x = 0; x < grid.x; x++) {
        blockIdx = dim3(x, y, z);
        run_block(block);
      }
}
