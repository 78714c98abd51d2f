#include "engine/runner.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "engine/banner.h"
#include "engine/drawing.h"
#include "engine/plan.h"
#include "engine/pool.h"
#include "engine/precision.h"
#include "engine/progress.h"
#include "engine/rerun.h"
#include "engine/sink.h"
#include "engine/store.h"
#include "engine/util.h"
#include "models/common/parallel.h"

/* One run of one config. */
typedef struct {
  wal_config *config; /* owned; NULL once a result took it over */
  const wal_run_options *options;
  wal_plan *plan;
  char *kept; /* folder of blobs */
  wal_blobs blobs;
  wal_provenance machine;
  wal_device_choice device; /* of this config's points */
  int jobs, threads;
  int task_count;
  wal_task *tasks;   /* [plan->todo] */
  int *task_point;   /* [plan->todo] the point of a task */
  int finished;      /* tasks that ended */
  int failed;        /* of these, failed */
  wal_status broken; /* a crashed point's entry could not be written; the message is in wal_error() */
  wal_progress *progress;
  int lock; /* descriptor of the lock file; -1: none */
} run;

/* ---- Folders and lock ---- */

/* Creates the folder of `path` and tries to write there. */
static wal_status check_folder(const char *path) {
  wal_status status = wal_make_parent(path);
  if (status) return status;
  char *folder = strndup(path, (size_t)(strrchr(path, '/') - path));
  if (!folder) return wal_fail(WAL_E_MEMORY, "no memory for the folder of %s", path);
  if (access(folder, W_OK | X_OK) != 0)
    status = wal_fail(WAL_E_IO, "cannot write in %s: %s", folder, strerror(errno));
  free(folder);
  return status;
}

/* Checks ROOT/KIND/NAME (KIND may be ""). */
static wal_status check_room(const char *root, const char *kind, const char *name) {
  char *folder = wal_path_join(root, kind, "");
  char *path = folder ? wal_path_join(kind[0] ? folder : root, name, kind[0] ? "/x" : "") : NULL;
  wal_status status = path ? check_folder(path) : wal_fail(WAL_E_MEMORY, "no memory for a path in %s", root);
  free(path);
  free(folder);
  return status;
}

/* One run of a config at a time: two would compute the same points twice. The lock goes with the process. */
static wal_status take_lock(run *r) {
  char *path = NULL;
  if (asprintf(&path, "%s/cache/%s/.lock", r->options->results, r->config->name) < 0)
    return wal_fail(WAL_E_MEMORY, "no memory for the path of a lock");
  wal_status status = WAL_OK;
  r->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (r->lock < 0)
    status = wal_fail(WAL_E_IO, "cannot create %s: %s", path, strerror(errno));
  else if (flock(r->lock, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK)
    status =
        wal_fail(WAL_E_INPUT,
                 "another `walras run` of %s is at work in %s; wait for it or stop it, or choose another "
                 "folder (--results other)",
                 r->config->name, r->options->results);
  free(path);
  return status;
}

/* Everything that can be known to fail is found before any work. */
static wal_status open_folders(run *r) {
  const char *results = r->options->results, *name = r->config->name;
  wal_status status = check_room(results, "", name);
  if (!status) status = check_room(results, "cache", name);
  if (!status) status = check_room(results, "logs", name);
  if (status)
    return wal_fail_in(WAL_E_INPUT, "the results folder is of no use (--results DIR chooses another): ");
  if (!r->options->no_plots && check_room(r->options->plots, "", name) != WAL_OK)
    return wal_fail_in(WAL_E_INPUT, "the plots folder is of no use (--plots DIR or --no-plots): ");
  return take_lock(r);
}

/* ---- Points ---- */

enum { LOG_LINES = 20, LOG_LIMIT = 1 << 26 };

/* The last lines of a log, indented. */
static void show_log(const char *path, FILE *out) {
  char *bytes = NULL;
  size_t length = 0;
  if (wal_read_file(path, LOG_LIMIT, &bytes, &length) != WAL_OK || length == 0) {
    free(bytes);
    return;
  }
  const char *start = bytes + length;
  for (int lines = 0; start > bytes; start--)
    if (start[-1] == '\n' && start < bytes + length && ++lines == LOG_LINES) break;
  fprintf(out, "  log %s%s:\n", path, start > bytes ? " (its end)" : "");
  while (*start) {
    int line = (int)strcspn(start, "\n");
    fprintf(out, "  | %.*s\n", line, start);
    start += line + (start[line] == '\n');
  }
  free(bytes);
}

/* A crashed point wrote no entry: this one makes the next run know that it failed, and of what. */
static wal_status store_crash(run *r, int task, const wal_task_end *end) {
  const wal_point *point = r->tasks[task].point;
  wal_outcome outcome = {.seconds = end->seconds};
  wal_sink *sink = wal_sink_new(point->experiment, NULL, NULL);
  wal_status status = sink ? WAL_OK : wal_fail(WAL_E_MEMORY, "no memory to record a crash");
  if (!status) status = wal_sink_finish(sink, wal_fail(end->status, "%s", end->error), &outcome);
  outcome.seconds = end->seconds;
  if (!status) status = wal_store_write_outcome(&outcome, r->tasks[task].key, r->tasks[task].entry);
  wal_outcome_free(&outcome);
  wal_sink_free(sink);
  return status;
}

static void task_label(const run *r, int task, char *out, size_t size) {
  wal_point_label(r->config, r->tasks[task].point, out, size);
}

static void on_progress(void *context, int task, double fraction, const char *what) {
  run *r = context;
  char label[256];
  task_label(r, task, label, sizeof label);
  wal_progress_update(r->progress, task, label, fraction, what, wal_now());
}

static bool on_finished(void *context, int task, const wal_task_end *end) {
  run *r = context;
  char label[256];
  task_label(r, task, label, sizeof label);
  r->finished++;
  wal_progress_ended(r->progress, task, label, end->seconds, end->status ? end->error : NULL, wal_now());
  if (!end->status) return true;
  r->failed++;
  show_log(r->tasks[task].log, stdout);
  printf("  to run this point alone:\n");
  wal_rerun_print(r->config, r->options, r->tasks[task].point, stdout);
  fflush(stdout);
  if (end->crashed) r->broken = store_crash(r, task, end);
  return r->options->keep_going && !r->broken;
}

/* Points of every config keep their blobs in one folder, so that they find each other's. */
static wal_status open_blobs(run *r) {
  r->kept = wal_path_join(r->options->results, "cache/blobs", "");
  if (!r->kept) return wal_fail(WAL_E_MEMORY, "no memory for the path of the blobs");
  r->blobs = (wal_blobs){.folder = r->kept, .fresh = r->options->force};
  snprintf(r->blobs.session, sizeof r->blobs.session, "%s", r->options->session);
  return WAL_OK;
}

static wal_status make_tasks(run *r) {
  size_t todo = (size_t)r->plan->todo;
  r->tasks = calloc(todo + 1, sizeof *r->tasks);
  r->task_point = calloc(todo + 1, sizeof *r->task_point);
  if (!r->tasks || !r->task_point) return wal_fail(WAL_E_MEMORY, "no memory for %d points", r->plan->todo);
  for (int i = 0; i < r->plan->count; i++) {
    const wal_planned *planned = &r->plan->points[i];
    if (planned->state == WAL_POINT_CACHED) continue;
    r->task_point[r->task_count] = i;
    r->tasks[r->task_count++] = (wal_task){&r->config->points[i], planned->key, planned->entry,
                                           planned->log,          &r->blobs,    r->device.device};
  }
  return WAL_OK;
}

static wal_status run_points(run *r) {
  wal_status status = open_blobs(r);
  if (!status) status = make_tasks(r);
  if (status || r->task_count == 0) return status;
  r->progress = wal_progress_new(stdout, isatty(STDOUT_FILENO), r->options->quiet, r->task_count, wal_now());
  if (!r->progress) return wal_fail(WAL_E_MEMORY, "no memory for the progress of %d points", r->task_count);
  wal_pool_listener listener = {r, on_progress, on_finished};
  status = wal_pool_run(r->tasks, r->task_count, r->jobs, r->threads, &listener);
  wal_progress_free(r->progress);
  r->progress = NULL;
  if (!status && r->broken) return r->broken;
  return status;
}

/* ---- Result ---- */

/* Reads back what the children stored. */
static wal_status read_outcomes(run *r) {
  wal_status status = WAL_OK;
  for (int t = 0; t < r->task_count && !status; t++) {
    wal_outcome *outcome = &r->plan->outcomes[r->task_point[t]];
    status = wal_store_read_outcome(r->tasks[t].entry, r->tasks[t].key, outcome);
  }
  return status ? wal_fail_in(WAL_E_IO, "a point that just finished cannot be read back: ") : WAL_OK;
}

/* Writes the result file and draws. */
static wal_status write_result(run *r) {
  const wal_run_options *o = r->options;
  FILE *log = o->quiet ? NULL : stdout;
  char *path = wal_path_join(o->results, r->config->name, ".h5");
  if (!path) return wal_fail(WAL_E_MEMORY, "no memory for the path of the result");
  wal_result *result = NULL;
  wal_status status = wal_result_build(r->config, r->plan->outcomes, &r->machine, &result);
  if (!status) {
    r->config = NULL;
    status = wal_store_write(result, path);
    if (!status && log) fprintf(log, "%s\n", path);
    if (!status && !o->no_plots) status = wal_draw(result, o->plots, o->style, log);
  }
  wal_result_free(result);
  free(path);
  return status;
}

/* What is kept and how to go on, when not every point ended. */
static void print_unfinished(const run *r) {
  printf("%d of %d points are finished and kept; to continue:\n",
         r->plan->count - r->plan->todo + r->finished - r->failed, r->plan->count);
  wal_rerun_print(r->config, r->options, NULL, stdout);
}

static void print_summary(const run *r, double seconds) {
  char took[32];
  wal_format_seconds(seconds, took, sizeof took);
  printf("%d point%s: %d cached, %d run, %d failed, in %s\n", r->plan->count, r->plan->count == 1 ? "" : "s",
         r->plan->count - r->plan->todo, r->finished, r->failed, took);
}

static wal_status collect_machine(run *r) {
  char precision[128];
  wal_precision_text(r->config->points, r->config->point_count, r->device.device, precision,
                     sizeof precision);
  wal_status status = wal_provenance_collect(&r->device, &r->machine);
  if (!status) status = wal_provenance_add(&r->machine, "precision", "%s", precision);
  if (!status) status = wal_provenance_add(&r->machine, "threads", "%d", r->threads);
  if (!status) status = wal_provenance_add(&r->machine, "jobs", "%d", r->jobs);
  return status;
}

static wal_status run_and_write(run *r) {
  double started = wal_now();
  wal_status status = collect_machine(r);
  if (status) return status;
  if (!r->options->quiet) wal_banner_print(r->config, r->plan, &r->machine, r->jobs, r->threads, stdout);
  status = run_points(r);
  if (status || r->finished < r->task_count) {
    print_unfinished(r);
    return status;
  }
  status = read_outcomes(r);
  if (!status) status = wal_provenance_now(&r->machine, "end");
  if (!status && !r->options->quiet) print_summary(r, wal_now() - started);
  return status ? status : write_result(r);
}

/* ---- The whole ---- */

/* The device of this config's points. */
static wal_device_choice device_of(const wal_config *config, const wal_run_options *options) {
  wal_device_choice choice = options->device;
  if (config->experiment->devices || wal_device_is_cpu(choice.device)) return choice;
  snprintf(choice.line, sizeof choice.line, "cpu (nothing of this experiment runs on %s)",
           choice.device->name);
  choice.device = &wal_device_cpu;
  return choice;
}

static wal_status check_precisions(const run *r) {
  for (int i = 0; i < r->config->point_count; i++) {
    const wal_status status = wal_precision_check(&r->config->points[i], r->device.device);
    if (status) return wal_fail_in(status, "%s: ", r->config->path);
  }
  return WAL_OK;
}

static void print_dry_run(const run *r) {
  char summary[192], took[32];
  wal_plan_summary(r->plan, summary, sizeof summary);
  printf("%s: %s; to run: %d", r->config->name, summary, r->plan->todo);
  if (r->config->expect_s >= 0) {
    wal_format_seconds(r->config->expect_s * r->plan->todo / r->plan->count, took, sizeof took);
    printf(", about %s on 2 cores", took);
  }
  printf("\n");
  if (!r->options->quiet) wal_plan_print(r->plan, r->config, stdout);
}

static void warn_damaged(const run *r) {
  for (int i = 0; i < r->plan->count; i++)
    if (r->plan->points[i].state == WAL_POINT_DAMAGED)
      fprintf(stderr, "walras: warning: a damaged cache entry: %s\n", r->plan->points[i].why);
}

static void close_run(run *r) {
  wal_plan_free(r->plan);
  wal_provenance_free(&r->machine);
  wal_config_free(r->config);
  wal_progress_free(r->progress);
  free(r->kept);
  free(r->tasks);
  free(r->task_point);
  if (r->lock >= 0) close(r->lock);
}

wal_status wal_run(wal_config *config, const wal_run_options *options, int *failed) {
  run r = {.config = config, .options = options, .device = device_of(config, options), .lock = -1};
  *failed = 0;
  r.jobs = options->jobs > 0 ? options->jobs : 1;
  r.threads = options->threads > 0 ? options->threads : wal_cores() / r.jobs;
  if (r.threads < 1) r.threads = 1;
  wal_status status = check_precisions(&r);
  if (!status && !options->dry_run) status = open_folders(&r);
  if (!status) status = wal_plan_make(config, r.device.device, options->results, options->force, &r.plan);
  if (!status && !options->dry_run) warn_damaged(&r);
  if (!status && options->dry_run)
    print_dry_run(&r);
  else if (!status)
    status = run_and_write(&r);
  *failed = r.failed;
  close_run(&r);
  return status;
}
