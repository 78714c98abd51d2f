#include "engine/pool.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "engine/sink.h"
#include "engine/store.h"
#include "models/common/parallel.h"

/* One message of a child; smaller than PIPE_BUF, so a write is never torn. */
typedef struct {
  enum { PROGRESS, ENDED, NOT_STORED } kind;
  wal_status status;
  double fraction;
  double seconds;
  char text[WAL_TASK_TEXT];
} message;

/* A running child. */
typedef struct {
  pid_t pid; /* 0: this slot is free */
  int task;
  int pipe;       /* the reading end */
  double started; /* wal_now() */
  bool ended;     /* `last` is its ENDED or NOT_STORED message */
  message last;
} child;

typedef struct {
  const wal_task *tasks;
  int count, jobs, threads;
  const wal_pool_listener *listener;
  int next; /* first task not started */
  int running;
  child *children;       /* [jobs] */
  struct pollfd *polled; /* [jobs] */
  wal_status status;
  char error[WAL_TASK_TEXT];
  bool stop;
} pool;

double wal_now(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* ---- Signals ---- */

static volatile sig_atomic_t interrupted;
static void on_signal(int number) {
  (void)number;
  interrupted = 1;
}

typedef struct {
  struct sigaction interrupt, terminate;
  sigset_t mask;
} old_signals;

/* SIGINT and SIGTERM are held back except inside ppoll, so that none is lost between a check and the wait. */
static void catch_signals(old_signals *old) {
  interrupted = 0;
  struct sigaction action = {.sa_handler = on_signal};
  sigemptyset(&action.sa_mask);
  sigset_t held;
  sigemptyset(&held);
  sigaddset(&held, SIGINT);
  sigaddset(&held, SIGTERM);
  sigprocmask(SIG_BLOCK, &held, &old->mask);
  sigaction(SIGINT, &action, &old->interrupt);
  sigaction(SIGTERM, &action, &old->terminate);
}

static void restore_signals(const old_signals *old) {
  sigprocmask(SIG_SETMASK, &old->mask, NULL);
  sigaction(SIGINT, &old->interrupt, NULL);
  sigaction(SIGTERM, &old->terminate, NULL);
}

/* A terminal's Ctrl-C and many supervisors signal the children along with us, and the news that a child died
 * may come before the signal is handled. */
static bool interrupt_pending(void) {
  sigset_t pending;
  return sigpending(&pending) == 0 &&
         (sigismember(&pending, SIGINT) == 1 || sigismember(&pending, SIGTERM) == 1);
}

/* ---- The child ---- */

/* Progress may be dropped when the parent is slow; the last message may not. */
static void send_message(int pipe, const message *m, bool must_arrive) {
  if (must_arrive) fcntl(pipe, F_SETFL, 0);
  while (write(pipe, m, sizeof *m) < 0 && errno == EINTR) continue;
}

static void send_progress(void *context, double fraction, const char *what) {
  message m = {.kind = PROGRESS, .fraction = fraction};
  snprintf(m.text, sizeof m.text, "%s", what);
  send_message(*(int *)context, &m, false);
}

/* Dies with its parent; the parent alone answers Ctrl-C. SIGTERM waits while the entry is being written. */
static void child_signals(pid_t parent, const sigset_t *mask) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(1);
  signal(SIGINT, SIG_IGN);
  signal(SIGTERM, SIG_DFL);
  sigprocmask(SIG_SETMASK, mask, NULL);
}

/* Output goes to the log line by line, so that a crash does not take it along. */
static void child_output(const char *log) {
  int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
  int file = open(log, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (file < 0) file = nothing; /* the answer matters more than its log */
  if (nothing >= 0) dup2(nothing, STDIN_FILENO);
  if (file >= 0) {
    dup2(file, STDOUT_FILENO);
    dup2(file, STDERR_FILENO);
  }
  setvbuf(stdout, NULL, _IOLBF, 0);
}

static double peak_mib(void) {
  struct rusage usage;
  return getrusage(RUSAGE_SELF, &usage) == 0 ? (double)usage.ru_maxrss / 1024 : 0;
}

/* An answer belongs to its key only while the files that the point read hold what the key says. */
static wal_status check_key(const wal_task *task) {
  char *key = wal_point_key(task->point, wal_device_now());
  bool same = key && strcmp(key, task->key) == 0;
  wal_status status = WAL_OK;
  if (!key) status = wal_fail(WAL_E_MEMORY, "no memory for the key of a point");
  if (key && !same)
    status = wal_fail(WAL_E_INPUT,
                      "a file that this point reads was changed meanwhile; `walras run` reads it again");
  free(key);
  return status;
}

/* Runs the point into *outcome. The status says whether there is an outcome, not whether it is a success. */
static wal_status run_point(const wal_task *task, int pipe, wal_outcome *outcome) {
  const wal_point *point = task->point;
  wal_sink *sink = wal_sink_new(point->experiment, send_progress, &pipe);
  if (!sink) return wal_fail(WAL_E_MEMORY, "no memory to start the point");
  if (task->blobs) wal_sink_keep_in(sink, task->blobs);
  double started = wal_now();
  wal_fail(WAL_OK, "%s", ""); /* forget the parent's messages */
  wal_status verdict = point->experiment->run_point(point, sink);
  if (!verdict) verdict = check_key(task);
  wal_status status = wal_sink_finish(sink, verdict, outcome);
  outcome->seconds = wal_now() - started;
  outcome->peak_mib = peak_mib();
  wal_sink_free(sink);
  return status;
}

static _Noreturn void child_main(const wal_task *task, int threads, int pipe) {
  wal_threads_set(threads);
  wal_device_use(task->device);
  wal_outcome outcome = {0};
  wal_status status = run_point(task, pipe, &outcome);
  if (!status && outcome.status) fprintf(stderr, "%s: %s\n", wal_status_text(outcome.status), outcome.error);
  fflush(NULL);
  sigset_t held;
  sigemptyset(&held);
  sigaddset(&held, SIGTERM);
  sigprocmask(SIG_BLOCK, &held, NULL);
  if (!status) status = wal_store_write_outcome(&outcome, task->key, task->entry);
  message m = {.kind = status ? NOT_STORED : ENDED, .status = status ? status : outcome.status};
  m.seconds = outcome.seconds;
  snprintf(m.text, sizeof m.text, "%s", status ? wal_error() : outcome.error);
  send_message(pipe, &m, true);
  wal_outcome_free(&outcome);
  _exit(0);
}

/* ---- The parent ---- */

static wal_status start_child(pool *p, child *slot, const sigset_t *mask) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0)
    return wal_fail(WAL_E_IO, "cannot open a pipe: %s", strerror(errno));
  fflush(NULL); /* else the child would print the parent's buffers again */
  pid_t parent = getpid(), pid = fork();
  if (pid < 0) {
    close(ends[0]);
    close(ends[1]);
    return wal_fail(WAL_E_IO, "cannot start a process: %s (fewer --jobs may help)", strerror(errno));
  }
  const wal_task *task = &p->tasks[p->next];
  if (pid == 0) {
    child_signals(parent, mask);
    child_output(task->log);
    close(ends[0]);
    child_main(task, p->threads, ends[1]);
  }
  close(ends[1]);
  *slot = (child){.pid = pid, .task = p->next++, .pipe = ends[0], .started = wal_now()};
  p->running++;
  return WAL_OK;
}

static void start_children(pool *p, const sigset_t *mask) {
  for (int c = 0; c < p->jobs && p->next < p->count && !p->stop; c++) {
    if (p->children[c].pid) continue;
    if (start_child(p, &p->children[c], mask) == WAL_OK) continue;
    p->status = WAL_E_IO;
    snprintf(p->error, sizeof p->error, "%s", wal_error());
    p->stop = true;
  }
}

/* Reads what has arrived; false at the end of the pipe. */
static bool read_messages(pool *p, child *c) {
  for (;;) {
    message m;
    ssize_t got = read(c->pipe, &m, sizeof m);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return true;
    if (got != (ssize_t)sizeof m) return false;
    if (m.kind == PROGRESS) {
      p->listener->progress(p->listener->context, c->task, m.fraction, m.text);
    } else {
      c->ended = true;
      c->last = m;
    }
  }
}

/* What a child that sent no last word died of. */
static void describe_crash(int wait_status, const char *log, wal_task_end *end) {
  end->crashed = true;
  end->status = WAL_E_INTERNAL;
  if (WIFSIGNALED(wait_status)) {
    int number = WTERMSIG(wait_status);
    snprintf(end->error, sizeof end->error, "the point's process was killed by signal %d (%s)%s; its log: %s",
             number, strsignal(number), number == SIGKILL ? ", perhaps for want of memory" : "", log);
  } else {
    snprintf(end->error, sizeof end->error, "the point's process left with exit code %d; its log: %s",
             WEXITSTATUS(wait_status), log);
  }
}

/* Collects a child whose pipe has closed and tells the listener. */
static void finish_child(pool *p, child *c) {
  int wait_status = 0;
  while (waitpid(c->pid, &wait_status, 0) < 0 && errno == EINTR) continue;
  close(c->pipe);
  wal_task_end end = {.status = c->last.status, .seconds = c->last.seconds};
  if (!c->ended && interrupt_pending()) { /* it died of the interruption: not a failure of the point */
    c->pid = 0;
    p->running--;
    interrupted = 1;
    return;
  }
  if (!c->ended) {
    end.seconds = wal_now() - c->started;
    describe_crash(wait_status, p->tasks[c->task].log, &end);
  } else {
    snprintf(end.error, sizeof end.error, "%s", c->last.text);
  }
  bool not_stored = c->ended && c->last.kind == NOT_STORED;
  c->pid = 0;
  p->running--;
  if (not_stored) {
    p->status = end.status;
    snprintf(p->error, sizeof p->error, "%s", end.error);
    p->stop = true;
  } else if (!p->listener->finished(p->listener->context, c->task, &end)) {
    p->stop = true;
  }
}

/* Stops what still runs. A child that is just writing its entry finishes that first. */
static void stop_children(pool *p) {
  for (int c = 0; c < p->jobs; c++)
    if (p->children[c].pid) kill(p->children[c].pid, SIGTERM);
  for (int c = 0; c < p->jobs; c++) {
    if (!p->children[c].pid) continue;
    while (waitpid(p->children[c].pid, NULL, 0) < 0 && errno == EINTR) continue;
    close(p->children[c].pipe);
    p->children[c].pid = 0;
  }
  p->running = 0;
}

/* Waits for messages, at most a second, and handles them. */
static void wait_for_children(pool *p, const sigset_t *mask) {
  for (int c = 0; c < p->jobs; c++)
    p->polled[c] = (struct pollfd){.fd = p->children[c].pid ? p->children[c].pipe : -1, .events = POLLIN};
  int ready = ppoll(p->polled, (nfds_t)p->jobs, &(struct timespec){.tv_sec = 1}, mask);
  for (int c = 0; c < p->jobs && ready > 0 && !p->stop; c++)
    if (p->polled[c].fd >= 0 && p->polled[c].revents && !read_messages(p, &p->children[c]))
      finish_child(p, &p->children[c]);
}

static wal_status pool_loop(pool *p) {
  old_signals old;
  catch_signals(&old);
  while ((p->next < p->count || p->running > 0) && !p->stop && !interrupted) {
    start_children(p, &old.mask);
    if (p->running > 0 && !p->stop) wait_for_children(p, &old.mask);
  }
  stop_children(p);
  restore_signals(&old); /* a signal that still waits arrives here */
  if (interrupted) return wal_fail(WAL_E_INTERRUPTED, "interrupted");
  return p->status ? wal_fail(p->status, "%s", p->error) : WAL_OK;
}

wal_status wal_pool_run(const wal_task *tasks, int count, int jobs, int threads,
                        const wal_pool_listener *listener) {
  if (jobs > count) jobs = count;
  if (jobs < 1) return WAL_OK;
  pool p = {.tasks = tasks, .count = count, .jobs = jobs, .threads = threads, .listener = listener};
  p.children = calloc((size_t)jobs, sizeof *p.children);
  p.polled = calloc((size_t)jobs, sizeof *p.polled);
  wal_status status =
      p.children && p.polled ? pool_loop(&p) : wal_fail(WAL_E_MEMORY, "no memory for %d jobs", jobs);
  free(p.children);
  free(p.polled);
  return status;
}
