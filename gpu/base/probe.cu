#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gpu/base/reduce.h"
#include "gpu/cuda.h"
#ifndef WAL_EMULATED
#include <cudnn.h>
#endif

enum { ANSWER = 512 }; /* bytes: a status, then its text */

static void describe(char *text, size_t size) {
  const wal_session *session = nullptr;
  int driver = 0, runtime = 0;
  if (wal_session_get(&session) != WAL_OK) return;
  cudaDriverGetVersion(&driver);
  cudaRuntimeGetVersion(&runtime);
  const int used = snprintf(text, size, "%s, driver for CUDA %d.%d, CUDA %d.%d", session->prop.name,
                            driver / 1000, driver % 1000 / 10, runtime / 1000, runtime % 1000 / 10);
#ifndef WAL_EMULATED
  const size_t version = cudnnGetVersion();
  if (used > 0 && static_cast<size_t>(used) < size)
    snprintf(text + used, size - static_cast<size_t>(used), ", cuDNN %zu.%zu.%zu", version / 10000,
             version / 100 % 100, version % 100);
#else
  (void)used;
#endif
}

/* 1 + 2 = 3: this program has code for the card, and the card has memory and runs it. */
static wal_status try_it(void) {
  const double terms[] = {1.0, 2.0};
  double sum = 0.0;
  wal_device_array<double> room, answer;
  WAL_TRY(room.allocate(2, "the first sum", "ending another program on the GPU"));
  WAL_TRY(answer.allocate(1, "the first sum", "ending another program on the GPU"));
  WAL_TRY(wal_upload(room.data(), terms, 2));
  WAL_TRY(wal_sum_partials(2, 1, room.data(), answer.data()));
  WAL_TRY(wal_download(&sum, answer.data(), 1));
  return sum == 3.0 ? WAL_OK : wal_fail(WAL_E_UNSUPPORTED, "the GPU's sum of 1 and 2 is %g", sum);
}

/* In the child: asks, writes the answer, ends. */
static void answer(int pipe) {
  char reply[ANSWER] = {0};
  const wal_status status = try_it();
  reply[0] = static_cast<char>(status);
  if (status == WAL_OK)
    describe(reply + 1, sizeof reply - 1);
  else
    snprintf(reply + 1, sizeof reply - 1, "%s", wal_error());
  const ssize_t written = write(pipe, reply, sizeof reply);
  _exit(written == static_cast<ssize_t>(sizeof reply) ? 0 : 1);
}

/* Reads the child's whole answer; false when it died before. */
static bool hear(int pipe, char reply[ANSWER]) {
  size_t got = 0;
  while (got < ANSWER) {
    const ssize_t more = read(pipe, reply + got, ANSWER - got);
    if (more <= 0) return false;
    got += static_cast<size_t>(more);
  }
  reply[ANSWER - 1] = 0;
  return true;
}

wal_status wal_cuda_probe(char *text, size_t size) {
  int ends[2];
  if (size) text[0] = 0;
  if (pipe(ends) != 0) return wal_fail(WAL_E_IO, "no pipe to ask for a GPU through");
  fflush(stdout);
  fflush(stderr);
  const pid_t child = fork();
  if (child == 0) answer(ends[1]);
  close(ends[1]);
  char reply[ANSWER];
  const bool heard = child > 0 && hear(ends[0], reply);
  close(ends[0]);
  if (child > 0) waitpid(child, nullptr, 0);
  if (!heard) return wal_fail(WAL_E_UNSUPPORTED, "asking the driver for a GPU failed");
  if (reply[0] != WAL_OK) return wal_fail(WAL_E_UNSUPPORTED, "%s", reply + 1);
  snprintf(text, size, "%s", reply + 1);
  return WAL_OK;
}
