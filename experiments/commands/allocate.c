/* walras allocate: resources without money, from a user's own instances. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/params.h"
#include "experiments/commands/allocating.h"
#include "experiments/commands/commands.h"
#include "experiments/files/mechanism_file.h"
#include "experiments/rpfnet/rpfnet.h"
#include "models/common/parallel.h"
#include "models/common/version.h"

static const wal_flag flags[] = {
    {"mechanism", 'm', WAL_FLAG_TEXT, "NAME[:MODEL.h5]", "pf",
     "how: walras list mechanisms; a learned one with the file that walras train wrote"},
    {"exploitability", 'e', WAL_FLAG_TEXT, "LIES", NULL,
     "search for misreports of values, demands or both, and say what each agent would gain"},
    {"set", 's', WAL_FLAG_LIST, "OPTION=VALUE", NULL,
     "of the mechanism or of the search: mixture.rho=0.3, attack.candidates=2000"},
    {"output", 'o', WAL_FLAG_TEXT, "OUT.h5", NULL, "write allocations, utilities, prices and certificates"},
    WAL_DEVICE_FLAG,
    {"threads", 't', WAL_FLAG_COUNT, "N", NULL, "threads [cores]"},
};

static const wal_settings_table settings_table = {wal_rpfnet_params, WAL_RPFNET_PARAMS, "mechanism"};

/* ---- the mechanism ---- */

/* Options of the plain kinds and of the attack; what may be misreported is the flag's. */
static bool is_option(const wal_param *param) {
  static const char *const groups[] = {"mixture.", "vtheta.", "clip.", "attack."};
  static const char *const others[] = {"attack.lie", "attack.weak"};
  for (int k = 0; k < 2; k++)
    if (strcmp(param->name, others[k]) == 0) return false;
  for (int k = 0; k < 4; k++)
    if (strncmp(param->name, groups[k], strlen(groups[k])) == 0) return true;
  return strcmp(param->name, "mechanism") == 0;
}

/* "KIND:MODEL.h5": the learned mechanism of a file, which must be of that kind ("rpfnet": any RPF-Net). */
static wal_status read_model(wal_allocating *w, const char *kind, const char *path) {
  wal_status status = wal_mechanism_file_read(path, &w->f, &w->models, NULL);
  if (status != WAL_OK) return status;
  const char *found = w->f->kind->name;
  const bool any = strcmp(kind, "rpfnet") == 0;
  w->model = path;
  if (any ? strncmp(found, "rpf", 3) != 0 : strcmp(found, kind) != 0)
    return wal_fail(WAL_E_INPUT, "%s holds a mechanism %s; expected %s (--mechanism %s:%s works)", path,
                    found, any ? "rpf, rpf_equivariant, rpf_monotone or rpf_separable" : kind, found, path);
  return WAL_OK;
}

static wal_status create_plain(wal_allocating *w, const char *name) {
  const wal_point *p = &w->settings.point;
  wal_mechanism_options options = wal_mechanism_defaults();
  options.rho = wal_point_real(p, "mixture.rho");
  options.theta = wal_point_real(p, "vtheta.theta");
  options.clip_one = wal_point_real(p, "clip.one");
  options.clip_both = wal_point_real(p, "clip.both");
  options.polish = true;
  return wal_mechanism_create(name, w->file.n, w->file.m, &options, &w->f);
}

static wal_status unknown_mechanism(const char *kind) {
  const char *names[32] = {"rpfnet"};
  int count = 1;
  for (const wal_mechanism_kind *const *k = wal_mechanism_kinds; *k && count < 32; k++)
    names[count++] = (*k)->name;
  return wal_fail_unknown("mechanism", kind, "walras allocate", names, count);
}

/* Reads --mechanism and --set; a model is read at once, before the instances. */
static wal_status choose_mechanism(const wal_args *args, wal_allocating *w, char kind[64]) {
  const char *text = wal_args_text(args, "mechanism"), *colon = strchr(text, ':');
  snprintf(kind, 64, "%.*s", colon ? (int)(colon - text) : 63, text);
  const wal_mechanism_kind *found = wal_mechanism_find(kind);
  const bool learned = strcmp(kind, "rpfnet") == 0 || (found && found->learned);
  if (!found && !learned) return wal_fail_in(unknown_mechanism(kind), "--mechanism: ");
  if (learned && (!colon || !colon[1]))
    return wal_fail(WAL_E_INPUT,
                    "--mechanism %s is learned; expected a model that walras train --mechanism wrote "
                    "(--mechanism %s:model.h5 works)",
                    kind, kind);
  if (!learned && colon)
    return wal_fail(WAL_E_INPUT, "--mechanism %.60s: %s has nothing to learn; expected --mechanism %s", text,
                    kind, kind);
  wal_status status = wal_settings_read(args, "walras allocate", &settings_table, is_option,
                                        found ? kind : NULL, &w->settings);
  return status == WAL_OK && learned ? read_model(w, kind, colon + 1) : status;
}

static wal_status fit_mechanism(wal_allocating *w, const char *kind) {
  const wal_instances_file *file = &w->file;
  wal_status status = w->f ? WAL_OK : create_plain(w, kind);
  if (status != WAL_OK) return status;
  if (w->f->n != file->n || w->f->m != file->m)
    return wal_fail(
        WAL_E_INPUT,
        "%s: instances of %d agents and %d resources; %s was trained for %d agents and %d resources "
        "(walras train --mechanism %s --agents %d --resources %d -o other.h5 makes one that fits)",
        w->path, file->n, file->m, w->model, w->f->n, w->f->m, w->f->kind->name, file->n, file->m);
  if (file->z && !wal_allocating_pf(w))
    return wal_fail(
        WAL_E_INPUT,
        "%s: has z, the linear term of eq. 9, which counts with --mechanism pf only; expected a file "
        "without z for %s",
        w->path, w->f->kind->name);
  if (file->z && w->attacked)
    return wal_fail(
        WAL_E_INPUT,
        "%s: has z; --exploitability takes files without it, because how z depends on the reports is "
        "not known",
        w->path);
  return WAL_OK;
}

/* ---- the attack ---- */

/* An option of a search that nobody asked for. */
static wal_status refuse_attack_sets(const wal_args *args) {
  int count = 0;
  const char *const *sets = wal_args_list(args, "set", &count);
  for (int i = 0; i < count; i++)
    if (strncmp(sets[i], "attack.", 7) == 0)
      return wal_fail(WAL_E_INPUT,
                      "--set %.80s: counts with --exploitability only (--exploitability both works)",
                      sets[i]);
  return WAL_OK;
}

static wal_status choose_attack(const wal_args *args, wal_allocating *w) {
  static const char *const lies[] = {"values", "demands", "both"};
  const char *text = wal_args_text(args, "exploitability");
  const wal_point *p = &w->settings.point;
  if (!text) return refuse_attack_sets(args);
  w->attack = wal_attack_defaults(wal_point_text(p, "attack.method"));
  for (int k = 0; k < 3; k++)
    if (strcmp(text, lies[k]) == 0) w->attack.lie = (wal_lie)(k + 1), w->attacked = true;
  if (!w->attacked)
    return wal_fail(WAL_E_INPUT, "--exploitability %.40s: expected values, demands or both", text);
  w->attack.candidates = (int)wal_point_int(p, "attack.candidates");
  w->attack.refine = (int)wal_point_int(p, "attack.refine");
  w->attack.starts = (int)wal_point_int(p, "attack.starts");
  w->attack.grid = (int)wal_point_int(p, "attack.grid");
  w->attack.steps = (int)wal_point_int(p, "attack.steps");
  w->attack.rate = wal_point_real(p, "attack.rate");
  return WAL_OK;
}

/* Reports lie between the smallest positive number of the file and its largest, at least a factor 10 and at
   most 1,000 apart: what nobody ever reported would not be believed. */
static void choose_range(wal_allocating *w) {
  const wal_instances_file *f = &w->file;
  double low = 0.1;
  if (f->value[1] > 0) low = fmin(low, f->value[0] / f->value[1]);
  if (f->demand[1] > 0) low = fmin(low, f->demand[0] / f->demand[1]);
  w->attack.low = fmax(low, 1e-3);
  w->attack.high = 1;
}

/* ---- the output ---- */

static wal_status collect_texts(const wal_args *args, wal_allocating *w) {
  static const char *const lies[] = {"", "values", "demands", "both"};
  wal_provenance *t = &w->texts;
  char hash[33];
  wal_status status = wal_texts_begin(args, &w->device, &w->settings, t);
  if (!status) status = wal_provenance_add(t, "mechanism", "%s", w->f->kind->name);
  if (!status) status = wal_file_hash(w->path, hash);
  if (!status) status = wal_provenance_add(t, "input", "%s", w->path);
  if (!status) status = wal_provenance_add(t, "input_xxh128", "%s", hash);
  if (!status && w->model) status = wal_file_hash(w->model, hash);
  if (!status && w->model) status = wal_provenance_add(t, "model", "%s", w->model);
  if (!status && w->model) status = wal_provenance_add(t, "model_xxh128", "%s", hash);
  if (!status && w->attacked) status = wal_provenance_add(t, "attack", "%s", w->attack.method);
  if (!status && w->attacked) status = wal_provenance_add(t, "misreports_of", "%s", lies[w->attack.lie]);
  return status;
}

static wal_status end_output(wal_allocating *w, wal_allocation_file *file, wal_status status) {
  const wal_allocation_totals *t = &w->totals;
  const bool pf = w->f && wal_allocating_pf(w);
  const wal_number_attribute numbers[] = {
      {"instances", (double)w->file.count},
      {"mean_nash_welfare", isfinite(t->nsw) ? t->nsw : NAN},
      {"mean_log_nash_welfare", t->log_nsw},
      {"mean_efficiency", t->efficiency},
      {"agents_without_part", (double)t->idle},
      {"worst_kkt", pf ? t->worst_kkt : NAN},
      {"not_unique", pf ? (double)t->ambiguous : NAN},
      {"mean_exploitability", w->attacked ? t->expl : NAN},
      {"attack_candidates", w->attacked ? w->attack.candidates : NAN},
      {"attack_low", w->attacked ? w->attack.low : NAN},
      {"allocate_s", t->seconds},
      {"attack_s", w->attacked ? t->attack_seconds : NAN},
  };
  if (!status) status = wal_provenance_now(&w->texts, "end");
  return wal_allocation_file_end(file, &w->file, &w->texts, numbers, sizeof numbers / sizeof *numbers,
                                 status);
}

/* Works into a file that is committed when all is well. */
static wal_status allocate_into(const wal_args *args, wal_allocating *w) {
  wal_new_file *target = NULL;
  wal_allocation_file file = {.file = -1};
  wal_status status = wal_output_begin(w->path, w->out, &target);
  if (status != WAL_OK) return status;
  status = collect_texts(args, w);
  if (status == WAL_OK) status = wal_allocate_all(w, wal_new_file_temporary(target), &file);
  status = end_output(w, &file, status);
  if (status == WAL_OK) return wal_new_file_commit(target);
  wal_new_file_abandon(target);
  return wal_fail_in(status, "%s: ", status == WAL_E_IO ? w->out : w->path);
}

/* ---- the command ---- */

static wal_status run_work(const wal_args *args, wal_allocating *w) {
  char kind[64];
  wal_status status = choose_mechanism(args, w, kind);
  if (status == WAL_OK) status = choose_attack(args, w);
  if (status == WAL_OK && w->out) status = wal_output_check(w->path, w->out);
  wal_bar_show(&w->bar, 0, "reading");
  if (status == WAL_OK) status = wal_instances_file_open(w->path, 0, &w->file);
  if (status == WAL_OK) status = fit_mechanism(w, kind);
  if (status != WAL_OK) return status;
  choose_range(w);
  if (w->out) return allocate_into(args, w);
  status = wal_allocate_all(w, NULL, NULL);
  return status ? wal_fail_in(status, "%s: ", w->path) : WAL_OK;
}

static void print_written(const wal_allocating *w) {
  const char *k = w->file.single ? "" : "K, ";
  printf("\nWrote %s: allocation [%sN, M], utility [%sN]%s%s\n", w->out, k, k,
         w->answer.kkt ? ", lambda, kkt, unique" : "", w->attacked ? ", exploitability, misreports" : "");
}

static int run(const wal_args *args, wal_registry registry) {
  (void)registry;
  wal_device_choice device;
  if (wal_device_begin(args, &device) != WAL_OK) return wal_exit_code(WAL_E_INPUT);
  wal_threads_set(wal_args_int(args, "threads", wal_cores()));
  wal_allocating *w = calloc(1, sizeof *w);
  wal_status status =
      w && wal_bar_open(&w->bar) ? WAL_OK : wal_fail(WAL_E_MEMORY, "no memory for the command");
  if (!w) return wal_exit_code(status);
  w->device = device;
  w->path = wal_args_at(args, 0);
  w->out = wal_args_text(args, "output");
  if (status == WAL_OK) status = run_work(args, w);
  wal_bar_close(&w->bar);
  if (status == WAL_OK) wal_allocating_print(w);
  if (status == WAL_OK && w->out) print_written(w);
  const int code = wal_solving_code(status);
  wal_provenance_free(&w->texts);
  wal_allocation_block_destroy(&w->answer);
  wal_instances_block_destroy(&w->in);
  wal_mechanism_destroy(w->f);
  wal_instances_file_close(&w->file);
  free(w);
  return code;
}

const wal_command wal_command_allocate = {
    .name = "allocate",
    .usage = "FILE",
    .min_args = 1,
    .max_args = 1,
    .summary = "share out resources without money: your own agents and budgets",
    .doc =
        "FILE is HDF5: values and demands [K, N, M], budgets [K, M], optional weights [K, N] and z [K, N, M] "
        "(the\n"
        "linear term of regularised proportional fairness, eq. 9), or all without K; or one instance as YAML "
        "or CSV.\n"
        "docs/allocate.md has examples and every refusal. OUT.h5 appears whole or not at all.",
    .examples =
        "  walras allocate examples/allocation.yaml\n"
        "  walras allocate instances.h5 --mechanism pa --exploitability both -o allocation.h5\n"
        "  walras allocate instances.h5 --mechanism rpfnet:model.h5 -o allocation.h5\n",
    .flags = flags,
    .flag_count = sizeof flags / sizeof *flags,
    .run = run,
};
