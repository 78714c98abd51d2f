/* The emulation is worth something only if it fails where a kernel is wrong: barriers, shuffles, memory,
 * queues, graphs. */
#include <check.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <vector>

#include "gpu/base/capture.h"
#include "gpu/base/launch.h"
#include "gpu/base/reduce.h"
extern "C" {
#include "tests/suite.h"
}

#define OK(call) ck_assert_int_eq((call), cudaSuccess)

static cudaStream_t stream(void) {
  const wal_session *session = nullptr;
  ck_assert_int_eq(wal_session_get(&session), WAL_OK);
  return session->stream;
}

template <class T>
static T *device(int64_t count) {
  void *memory = nullptr;
  ck_assert_int_eq(wal_device_allocate(static_cast<size_t>(count) * sizeof(T), "test", "less", &memory),
                   WAL_OK);
  return static_cast<T *>(memory);
}

/* ---- threads ---- */

__global__ void block_sums(const double *x, double *sums) {
  const double sum = wal_block_sum(x[wal_thread()]);
  if (threadIdx.x == 0) sums[blockIdx.x] = sum;
}

START_TEST(block_sum_is_sum) {
  enum { BLOCKS = 3, THREADS = 96 };
  double x[BLOCKS * THREADS], got[BLOCKS];
  for (int k = 0; k < BLOCKS * THREADS; k++) x[k] = k * k; /* whole numbers: exact in any order */
  double *dx = device<double>(BLOCKS * THREADS), *dsum = device<double>(BLOCKS);
  ck_assert_int_eq(wal_upload(dx, x, BLOCKS * THREADS), WAL_OK);
  OK(wal_launch(block_sums, BLOCKS, THREADS, 0, stream(), dx, dsum));
  ck_assert_int_eq(wal_download(got, dsum, BLOCKS), WAL_OK);
  for (int b = 0; b < BLOCKS; b++) {
    double expected = 0;
    for (int k = 0; k < THREADS; k++) expected += x[b * THREADS + k];
    ck_assert_double_eq(got[b], expected);
  }
  wal_device_free(dx), wal_device_free(dsum);
}
END_TEST

__global__ void shuffles(int *out) {
  const int lane = static_cast<int>(threadIdx.x) % 32;
  int *row = out + threadIdx.x * 6;
  row[0] = __shfl_sync(WAL_FULL_WARP, lane * 10, 5);
  row[1] = __shfl_up_sync(WAL_FULL_WARP, lane, 3);
  row[2] = __shfl_down_sync(WAL_FULL_WARP, lane, 3);
  row[3] = __shfl_xor_sync(WAL_FULL_WARP, lane, 16, 8);
  row[4] = static_cast<int>(__ballot_sync(WAL_FULL_WARP, lane % 3 == 0) & 0xffff);
  row[5] = __any_sync(WAL_FULL_WARP, lane == 31) + 2 * __all_sync(WAL_FULL_WARP, lane < 32);
}

/* With groups of 8, lanes may read from groups before theirs, and get their own number for one after. */
START_TEST(shuffles_are_cuda_s) {
  int got[64][6], *out = device<int>(64 * 6);
  OK(wal_launch(shuffles, 1, 64, 0, stream(), out));
  ck_assert_int_eq(wal_download(&got[0][0], out, 64 * 6), WAL_OK);
  for (int t = 0; t < 64; t++) {
    const int lane = t % 32;
    const int expected[6] = {
        50, lane < 3 ? lane : lane - 3, lane > 28 ? lane : lane + 3, lane < 16 ? lane : lane - 16, 0x9249, 3};
    for (int k = 0; k < 6; k++)
      ck_assert_msg(got[t][k] == expected[k], "thread %d, shuffle %d: %d", t, k, got[t][k]);
  }
  wal_device_free(out);
}
END_TEST

/* Each thread reads its neighbour's number, with or without a barrier before. */
__global__ void neighbours(bool barrier, int *out) {
  __shared__ int x[64];
  x[threadIdx.x] = -1;
  __syncthreads();
  x[threadIdx.x] = static_cast<int>(threadIdx.x);
  if (barrier) __syncthreads();
  out[threadIdx.x] = x[(threadIdx.x + 1) % 64];
}

static int wrong_neighbours(bool barrier, const char *order) {
  setenv("WAL_EMULATION_ORDER", order, 1);
  int got[64], *out = device<int>(64), wrong = 0;
  OK(wal_launch(neighbours, 1, 64, 0, stream(), barrier, out));
  ck_assert_int_eq(wal_download(got, out, 64), WAL_OK);
  for (int t = 0; t < 64; t++) wrong += got[t] != (t + 1) % 64;
  wal_device_free(out);
  unsetenv("WAL_EMULATION_ORDER");
  return wrong;
}

START_TEST(missing_barrier_shows) {
  static const char *const orders[] = {"", "reverse", "1", "2", "first", "last"};
  for (const char *order : orders) {
    ck_assert_int_eq(wrong_neighbours(true, order), 0);
    ck_assert_int_gt(wrong_neighbours(false, order), 0);
  }
}
END_TEST

/* Sums over warps twice, through the same shared numbers; the barrier keeps the second from what others still
   read of the first. */
__global__ void two_sums(bool barrier, int *out) {
  __shared__ int part[2];
  int sum = 1;
  for (int k = 0; k < 2; k++) {
    sum = __shfl_sync(WAL_FULL_WARP, sum, 0);
    if (barrier) __syncthreads();
    if (threadIdx.x % 32 == 0) part[threadIdx.x / 32] = sum;
    __syncthreads();
    sum = part[0] + part[1];
  }
  out[threadIdx.x] = sum;
}

/* Only warps that run ahead show it. */
START_TEST(missing_second_barrier_shows) {
  static const char *const orders[] = {"", "first", "last"};
  for (int k = 0; k < 6; k++) {
    int got[64], *out = device<int>(64), wrong = 0;
    setenv("WAL_EMULATION_ORDER", orders[k / 2], 1);
    OK(wal_launch(two_sums, 1, 64, 0, stream(), k % 2 == 0, out));
    ck_assert_int_eq(wal_download(got, out, 64), WAL_OK);
    for (int t = 0; t < 64; t++) wrong += got[t] != 4;
    ck_assert((wrong > 0) == (k > 2 && k % 2));
    wal_device_free(out);
    unsetenv("WAL_EMULATION_ORDER");
  }
}
END_TEST

/* Half of a warp shuffles while the other half has barriers. */
__global__ void shuffle_meets_barrier(int *out) {
  out[threadIdx.x] = 0;
  if (threadIdx.x < 16)
    out[threadIdx.x] = __shfl_xor_sync(WAL_FULL_WARP, 1, 1);
  else
    __syncwarp(), __syncwarp();
}

/* Ends with SIGABRT. */
START_TEST(different_meetings_end) {
  OK(wal_launch(shuffle_meets_barrier, 1, 32, 0, stream(), device<int>(32)));
  wal_session_wait();
}
END_TEST

__global__ void half_a_shuffle(int *out) {
  out[threadIdx.x] =
      threadIdx.x < 16 ? __shfl_xor_sync(WAL_FULL_WARP, 1, 1) : __shfl_xor_sync(WAL_FULL_WARP, 2, 1);
  if (threadIdx.x < 16) __syncthreads();
  __syncwarp();
}

/* Ends with SIGABRT: the first half waits for the block, the second for its warp. */
START_TEST(divergent_barrier_ends) {
  int *out = device<int>(32);
  OK(wal_launch(half_a_shuffle, 1, 32, 0, stream(), out));
  wal_session_wait();
}
END_TEST

/* ---- memory ---- */

__global__ void fill(int64_t n, double value, double *x) {
  for (int64_t k = wal_thread(); k < n; k += wal_threads_all()) x[k] = value;
}

#if !defined(__SANITIZE_ADDRESS__) /* which ends the program in its own way */
START_TEST(host_may_not_touch) {   /* SIGSEGV */
  double *x = device<double>(10);
  x[3] = 1;
}
END_TEST
#endif

START_TEST(writing_past_the_end_ends) { /* SIGABRT */
  double *x = device<double>(10);
  OK(wal_launch(fill, 1, 32, 0, stream(), int64_t(11), 1.0, x));
  wal_device_free(x);
}
END_TEST

START_TEST(host_pointer_is_refused) { /* SIGABRT */
  double x[10];
  wal_launch(fill, 1, 32, 0, stream(), int64_t(10), 1.0, static_cast<double *>(x));
}
END_TEST

START_TEST(memory_begins_as_nan) {
  double got[4], *x = device<double>(4);
  ck_assert_int_eq(wal_download(got, x, 4), WAL_OK);
  for (int k = 0; k < 4; k++) ck_assert(isnan(got[k]));
  wal_device_free(x);
}
END_TEST

START_TEST(too_much_names_what_to_lower) {
  wal_emulation_memory(size_t(3) << 20);
  void *memory = &memory;
  ck_assert_int_eq(wal_device_allocate(size_t(4) << 20, "values of 1024 buyers", "a smaller n", &memory),
                   WAL_E_MEMORY);
  ck_assert_ptr_null(memory);
  ck_assert_str_eq(wal_error(),
                   "values of 1024 buyers: 4.0 MiB asked of the GPU, 3.0 of its 3.0 MiB are free; a smaller "
                   "n or --device cpu works");
  ck_assert_int_eq(wal_device_allocate(size_t(1) << 20, "values", "a smaller n", &memory), WAL_OK);
  wal_device_free(memory);
}
END_TEST

START_TEST(bad_launch_is_an_error) {
  double *x = device<double>(1);
  ck_assert_int_eq(wal_launch(fill, 1, 1025, 0, stream(), int64_t(1), 1.0, x), cudaErrorInvalidConfiguration);
  ck_assert_int_eq(cudaGetLastError(), cudaErrorInvalidConfiguration);
  wal_device_free(x);
}
END_TEST

/* ---- queues and graphs ---- */

START_TEST(copies_wait_for_their_turn) {
  double *x = device<double>(1), *host = nullptr;
  OK(cudaMallocHost(&host, sizeof *host));
  *host = 7;
  OK(wal_launch(fill, 1, 1, 0, stream(), int64_t(1), 3.0, x));
  OK(cudaMemcpyAsync(host, x, sizeof *host, cudaMemcpyDeviceToHost, stream()));
  ck_assert_double_eq(*host, 7); /* nobody has waited yet */
  OK(cudaStreamSynchronize(stream()));
  ck_assert_double_eq(*host, 3);
  OK(cudaFreeHost(host));
  wal_device_free(x);
}
END_TEST

__global__ void advance(double *x) { *x += 1; }

/* A graph runs as often as it is launched, not when it is captured; what it captured by value stays. */
START_TEST(graphs_replay) {
  double value = 5, got, *x = device<double>(1);
  cudaGraph_t graph;
  cudaGraphExec_t exec;
  OK(cudaStreamBeginCapture(stream(), cudaStreamCaptureModeGlobal));
  OK(wal_launch(fill, 1, 1, 0, stream(), int64_t(1), value, x));
  OK(wal_launch(advance, 1, 1, 0, stream(), x));
  OK(cudaStreamEndCapture(stream(), &graph));
  OK(cudaGraphInstantiate(&exec, graph, 0));
  OK(cudaGraphDestroy(graph));
  value = 50;
  ck_assert_int_eq(wal_download(&got, x, 1), WAL_OK);
  ck_assert(isnan(got));
  for (int round = 0; round < 2; round++) OK(cudaGraphLaunch(exec, stream()));
  OK(wal_launch(advance, 1, 1, 0, stream(), x));
  ck_assert_int_eq(wal_download(&got, x, 1), WAL_OK);
  ck_assert_double_eq(got, 7);
  OK(cudaGraphExecDestroy(exec));
  wal_device_free(x);
}
END_TEST

/* ---- sums ---- */

/* A call that waits spoils a recording, and no failure leaves the stream recording. */
START_TEST(a_failed_capture_ends) {
  double got, *x = device<double>(1);
  cudaGraphExec_t exec;
  const auto waits = [] { return cudaStreamSynchronize(stream()), WAL_OK; };
  ck_assert_int_eq(wal_session_capture(waits, &exec), WAL_E_INTERNAL);
  ck_assert_int_eq(wal_session_capture([] { return wal_session_wait(); }, &exec), WAL_E_INTERNAL);
  ck_assert_int_eq(wal_session_capture([] { return wal_fail(WAL_E_INPUT, "no"); }, &exec), WAL_E_INPUT);
  ck_assert_str_eq(wal_error(), "no");
  ck_assert_ptr_null(exec);
  OK(cudaGetLastError());
  OK(wal_launch(fill, 1, 1, 0, stream(), int64_t(1), 3.0, x));
  ck_assert_int_eq(wal_download(&got, x, 1), WAL_OK);
  ck_assert_double_eq(got, 3);
  wal_device_free(x);
}
END_TEST

START_TEST(partials_add_up) {
  static const int64_t counts[] = {0, 1, 2, 3, 7, 64, 1000};
  const int64_t count = counts[_i], dim = 3;
  std::vector<double> partial(static_cast<size_t>(count * dim) + 1);
  double expected[3] = {0}, got[3];
  for (int64_t k = 0; k < count * dim; k++)
    expected[k % dim] += partial[static_cast<size_t>(k)] = static_cast<double>(k * k % 1001);
  double *part = device<double>(count * dim + 1), *sum = device<double>(dim);
  ck_assert_int_eq(wal_upload(part, partial.data(), count * dim), WAL_OK);
  ck_assert_int_eq(wal_sum_partials(count, dim, part, sum), WAL_OK);
  ck_assert_int_eq(wal_download(got, sum, dim), WAL_OK);
  for (int d = 0; d < dim; d++) ck_assert_double_eq(got[d], expected[d]);
  wal_device_free(part), wal_device_free(sum);
}
END_TEST

/* As the driver: a process that has used CUDA has no forks that can. */
START_TEST(a_fork_cannot_use_it) {
  OK(cudaSetDevice(0));
  const pid_t child = fork();
  if (child == 0) _exit(cudaSetDevice(0));
  int status = 0;
  ck_assert_int_eq(waitpid(child, &status, 0), child);
  ck_assert(WIFEXITED(status));
  ck_assert_int_eq(WEXITSTATUS(status), cudaErrorInitializationError);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("emulation");
  TCase *tests = tcase_create("emulation");
  tcase_add_test(tests, block_sum_is_sum);
  tcase_add_test(tests, shuffles_are_cuda_s);
  tcase_add_test(tests, missing_barrier_shows);
  tcase_add_test(tests, missing_second_barrier_shows);
  tcase_add_test_raise_signal(tests, different_meetings_end, SIGABRT);
  tcase_add_test_raise_signal(tests, divergent_barrier_ends, SIGABRT);
#if !defined(__SANITIZE_ADDRESS__)
  tcase_add_test_raise_signal(tests, host_may_not_touch, SIGSEGV);
#endif
  tcase_add_test_raise_signal(tests, writing_past_the_end_ends, SIGABRT);
  tcase_add_test_raise_signal(tests, host_pointer_is_refused, SIGABRT);
  tcase_add_test(tests, memory_begins_as_nan);
  tcase_add_test(tests, too_much_names_what_to_lower);
  tcase_add_test(tests, bad_launch_is_an_error);
  tcase_add_test(tests, a_fork_cannot_use_it);
  tcase_add_test(tests, copies_wait_for_their_turn);
  tcase_add_test(tests, graphs_replay);
  tcase_add_test(tests, a_failed_capture_ends);
  tcase_add_loop_test(tests, partials_add_up, 0, 7);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
