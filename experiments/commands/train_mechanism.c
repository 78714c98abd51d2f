/* walras train --mechanism: a mechanism that learns to allocate without money, saved for walras allocate. */
#include "experiments/commands/train_mechanism.h"

#include <dirent.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/params.h"
#include "engine/precision.h"
#include "engine/sink.h"
#include "engine/util.h"
#include "experiments/commands/shared.h"
#include "experiments/files/mechanism_file.h"
#include "experiments/rpfnet/rpfnet.h"
#include "models/common/parallel.h"

typedef struct {
  const char *out; /* NULL: print only */
  wal_device_choice device;
  wal_settings settings;
  char *checkpoints; /* folder beside the output; NULL: none */
  wal_sink *sink;
  wal_mechanism *f;
  double seconds; /* of the training, over all its parts */
  wal_rpfnet_samples own, pf;
  wal_provenance texts;
  wal_bar bar;
} work;

/* ---- settings ---- */

static bool any_param(const wal_param *param) {
  (void)param;
  return true;
}

/* The experiments' parameters, with fewer held-out instances: a summary, no figure. */
static const wal_settings_table *settings_table(void) {
  static wal_param params[WAL_RPFNET_PARAMS];
  static const wal_settings_table table = {params, WAL_RPFNET_PARAMS, "mechanism"};
  for (int p = 0; p < WAL_RPFNET_PARAMS; p++) {
    params[p] = wal_rpfnet_params[p];
    if (strcmp(params[p].name, "held_out") == 0) params[p].standard = "2000";
  }
  return &table;
}

/* A size from its flag, where that was given. */
static wal_status read_size(const wal_args *args, const char *flag, const char *name, work *w) {
  const int size = wal_args_int(args, flag, 0), p = wal_param_find(&w->settings.experiment, name);
  char text[16];
  if (size == 0) return WAL_OK;
  snprintf(text, sizeof text, "%d", size);
  const wal_status status = wal_param_read(&w->settings.params[p], text, &w->settings.values[p]);
  return status ? wal_fail_in(status, "--%s: ", flag) : WAL_OK;
}

static wal_status read_settings(const wal_args *args, work *w) {
  const char *name = wal_args_text(args, "mechanism");
  const wal_mechanism_kind *kind = wal_mechanism_find(name);
  wal_status status =
      wal_settings_read(args, "walras train", settings_table(), any_param, kind ? name : NULL, &w->settings);
  if (status == WAL_OK) status = read_size(args, "agents", "n", w);
  if (status == WAL_OK) status = read_size(args, "resources", "m", w);
  if (status == WAL_OK && (!kind || !kind->learned))
    return wal_fail(
        WAL_E_INPUT,
        "--mechanism %.40s %s; expected exs, softmax, rpf, rpf_equivariant, rpf_monotone or rpf_separable "
        "(--mechanism rpf_monotone works)",
        name, kind ? "has nothing to learn" : "is none");
  return status;
}

/* ---- checkpoints ---- */

/* Beside the output, so that the same command goes on after Ctrl-C. */
static wal_status keep_checkpoints(work *w) {
  if (asprintf(&w->checkpoints, "%s.checkpoint", w->out) < 0) w->checkpoints = NULL;
  const bool there = w->checkpoints && access(w->checkpoints, F_OK) == 0;
  char *inside = w->checkpoints ? wal_path_join(w->checkpoints, "x", "") : NULL;
  const wal_status status =
      inside ? wal_make_parent(inside) : wal_fail(WAL_E_MEMORY, "no memory for the command");
  free(inside);
  if (status != WAL_OK) return status;
  wal_blobs blobs = {.folder = w->checkpoints};
  wal_blob_session(blobs.session);
  wal_sink_keep_in(w->sink, &blobs);
  wal_bar_close(&w->bar);
  fprintf(stderr, "walras: checkpoints are kept in %s; %s\n", w->checkpoints,
          there ? "going on from that of the same command, if it is there"
                : "after Ctrl-C the same command goes on");
  return wal_bar_open(&w->bar) ? WAL_OK : wal_fail(WAL_E_MEMORY, "no memory for the command");
}

/* Once the model is written they are of no more use. Only what we wrote is removed. */
static void drop_checkpoints(const work *w) {
  DIR *folder = w->checkpoints ? opendir(w->checkpoints) : NULL;
  if (!folder) return;
  for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
    const size_t length = strlen(entry->d_name);
    if (length == 37 && strcmp(entry->d_name + 32, ".blob") == 0) unlinkat(dirfd(folder), entry->d_name, 0);
  }
  closedir(folder);
  rmdir(w->checkpoints);
}

/* ---- the work ---- */

static wal_status measure(work *w) {
  const wal_point *p = &w->settings.point;
  const wal_law law = wal_rpfnet_law(p);
  const wal_attack_options attack = wal_rpfnet_attack_options(p);
  const int64_t count = wal_point_int(p, "held_out");
  wal_status status = wal_rpfnet_sample(w->f, NULL, &law, count, &attack, NULL, w->sink, &w->own);
  return status ? status : wal_rpfnet_sample_pf(&law, count, &attack, NULL, w->sink, &w->pf);
}

static wal_status add_mean(wal_provenance *t, const char *name, const double *values, int64_t count) {
  return wal_provenance_add(t, name, "%.6g", wal_rpfnet_mean_of(values, count).mean);
}

/* What the file says about the training besides the network itself. */
static wal_status collect_texts(const wal_args *args, work *w) {
  wal_provenance *t = &w->texts;
  const int64_t count = w->own.count;
  char *settings = wal_rpfnet_point_key(&w->settings.point);
  wal_status status = settings ? wal_texts_begin(args, &w->device, &w->settings, t)
                               : wal_fail(WAL_E_MEMORY, "no memory for the settings");
  if (!status) status = wal_provenance_add(t, "settings", "%s", settings);
  free(settings);
  if (!status) status = wal_provenance_add(t, "engine", "%s", w->f->net->ops->engine(w->f->net));
  if (!status) status = wal_provenance_add(t, "held_out", "%lld", (long long)count);
  if (!status) status = add_mean(t, "nsw", w->own.nsw, count);
  if (!status) status = add_mean(t, "nsw_pf", w->pf.nsw, count);
  if (!status) status = add_mean(t, "nsw_active", w->own.nsw_active, count);
  if (!status) status = add_mean(t, "nsw_active_pf", w->pf.nsw_active, count);
  if (!status) status = add_mean(t, "exploitability", w->own.expl, count);
  if (!status) status = add_mean(t, "exploitability_pf", w->pf.expl, count);
  if (!status) status = wal_provenance_add(t, "train_s", "%.3f", w->seconds);
  return status ? status : wal_provenance_now(t, "end");
}

/* Whether the network can be written is known before it is trained. */
static wal_status rehearse_output(const work *w) {
  wal_new_file *file = NULL;
  const wal_status status = wal_output_begin(NULL, w->out, &file);
  wal_new_file_abandon(file);
  return status;
}

static wal_status run_work(const wal_args *args, work *w) {
  wal_status status = read_settings(args, w);
  if (status == WAL_OK) status = wal_precision_check(&w->settings.point, w->device.device);
  if (status == WAL_OK && w->out) status = rehearse_output(w);
  if (status == WAL_OK && !(w->sink = wal_sink_new(&w->settings.experiment, wal_bar_show, &w->bar)))
    status = wal_fail(WAL_E_MEMORY, "no memory for the command");
  if (status == WAL_OK && w->out) status = keep_checkpoints(w);
  snprintf(w->bar.label, sizeof w->bar.label, "%s", wal_args_text(args, "mechanism"));
  if (status == WAL_OK) status = wal_rpfnet_mechanism(&w->settings.point, w->sink, &w->f, &w->seconds);
  if (status == WAL_OK) status = measure(w);
  if (status == WAL_OK && w->out) status = collect_texts(args, w);
  if (status == WAL_OK && w->out) status = wal_mechanism_file_write(w->f, &w->texts, w->out);
  if (status == WAL_OK)
    drop_checkpoints(w);
  else if (w->checkpoints)
    rmdir(w->checkpoints); /* only where nothing was kept */
  return status;
}

/* ---- the summary ---- */

static void print_mean(const char *what, const double *own, wal_rpfnet_mean ratio, int64_t count) {
  printf("%-18s%.5g", what, wal_rpfnet_mean_of(own, count).mean);
  if (isfinite(ratio.mean)) printf(", %.4f of PF's", ratio.mean);
  if (isfinite(ratio.mean) && isfinite(ratio.se)) printf(" (standard error %.2g)", ratio.se);
  printf("\n");
}

static void print_summary(const work *w) {
  const wal_point *p = &w->settings.point;
  const int64_t count = w->own.count;
  char took[32];
  wal_format_seconds(w->seconds, took, sizeof took);
  printf("%-18s%s: %s\n", "mechanism", w->f->kind->name, w->f->kind->title);
  printf("%-18s%d\n%-18s%d\n", "agents N", w->f->n, "resources M", w->f->m);
  printf("%-18s%lld parameters\n", "network", (long long)w->f->net->ops->parameter_count(w->f->net));
  printf("%-18s%lld in %s\n", "Adam steps", (long long)w->f->net->ops->steps(w->f->net), took);
  wal_print_device(&w->device);
  printf("%-18s%lld instances of law (17), none of them trained on\n", "held out", (long long)count);
  print_mean("Nash welfare", w->own.nsw, wal_rpfnet_ratio_of(w->own.nsw, w->pf.nsw, count), count);
  print_mean("of those active", w->own.nsw_active,
             wal_rpfnet_ratio_of(w->own.nsw_active, w->pf.nsw_active, count), count);
  print_mean("exploitability", w->own.expl, wal_rpfnet_gain_ratio_of(w->own.expl, w->pf.expl, count), count);
  print_mean("efficiency", w->own.efficiency, wal_rpfnet_ratio_of(w->own.efficiency, w->pf.efficiency, count),
             count);
  printf("%-18s%s, misreports of %s: a lower bound\n", "attack", wal_point_text(p, "attack.method"),
         wal_point_text(p, "attack.lie"));
  if (w->out)
    printf("\nWrote %s: walras allocate FILE --mechanism %s:%s uses it\n", w->out, w->f->kind->name, w->out);
}

int wal_train_mechanism(const wal_args *args, const wal_device_choice *device) {
  wal_threads_set(wal_args_int(args, "threads", wal_cores()));
  if (!wal_args_text(args, "output"))
    fprintf(stderr, "walras: the network will be measured and not kept; -o model.h5 keeps it\n");
  work *w = calloc(1, sizeof *w);
  wal_status status =
      w && wal_bar_open(&w->bar) ? WAL_OK : wal_fail(WAL_E_MEMORY, "no memory for the command");
  if (!w) return wal_exit_code(status);
  w->out = wal_args_text(args, "output");
  w->device = *device;
  if (status == WAL_OK) status = run_work(args, w);
  wal_bar_close(&w->bar);
  if (status == WAL_OK) print_summary(w);
  const int code = wal_solving_code(status);
  wal_provenance_free(&w->texts);
  wal_rpfnet_samples_free(&w->own);
  wal_rpfnet_samples_free(&w->pf);
  wal_mechanism_destroy(w->f);
  wal_sink_free(w->sink);
  free(w->checkpoints);
  free(w);
  return code;
}
