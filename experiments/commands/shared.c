#include "experiments/commands/shared.h"

#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/params.h"
#include "engine/pool.h"
#include "engine/precision.h"
#include "engine/util.h"

/* ---- parameters ---- */

/* Those that count for some solvers only, the solver itself, and the seed. */
bool wal_is_solver_param(const wal_param *param) {
  const bool is_option = param->when && strncmp(param->when, "solver=", 7) == 0;
  return is_option || strcmp(param->name, "solver") == 0 || strcmp(param->name, "seed") == 0;
}

const wal_settings_table wal_market_settings = {wal_market_params, WAL_MARKET_PARAMS, "solver"};

static wal_status set_option(wal_settings *s, const char *chooser, const char *set) {
  char name[64];
  const char *equals = strchr(set, '=');
  snprintf(name, sizeof name, "%.*s", equals ? (int)(equals - set) : 0, set);
  if (!*name) return wal_fail(WAL_E_INPUT, "expected OPTION=VALUE (seed=2 works)");
  const int p = wal_param_find(&s->experiment, name);
  if (p < 0) return wal_fail_unknown_param(&s->experiment, "", name);
  wal_status status = wal_param_read(&s->params[p], equals + 1, &s->values[p]);
  if (status == WAL_OK && !wal_point_counts(&s->point, p) &&
      strncmp(s->params[p].when, chooser, strlen(chooser)) == 0)
    status = wal_fail(WAL_E_INPUT, "%s counts with %s only, and the %s is %s (--%s chooses it)", name,
                      s->params[p].when, chooser, wal_point_text(&s->point, chooser), chooser);
  else if (status == WAL_OK && !wal_point_counts(&s->point, p))
    status = wal_fail(WAL_E_INPUT, "%s counts with %s only", name, s->params[p].when);
  return status;
}

/* With its flag given, the chooser is not set once more. */
static wal_status check_chooser(const char *chooser, const char *set) {
  const size_t length = strlen(chooser);
  if (strncmp(set, chooser, length) != 0 || set[length] != '=') return WAL_OK;
  return wal_fail(WAL_E_INPUT, "--%s is given too; expected one of the two", chooser);
}

wal_status wal_settings_read(const wal_args *args, const char *command, const wal_settings_table *table,
                             bool (*wanted)(const wal_param *param), const char *chosen, wal_settings *s) {
  *s = (wal_settings){.experiment = {.id = command, .params = s->params}};
  for (int p = 0; p < table->count && s->experiment.param_count < WAL_SETTINGS_MAX; p++)
    if (wanted(&table->params[p])) s->params[s->experiment.param_count++] = table->params[p];
  s->point = (wal_point){&s->experiment, s->values};
  wal_status status = wal_param_defaults(&s->experiment, s->values);
  const int p = wal_param_find(&s->experiment, table->chooser);
  if (status == WAL_OK && chosen) status = wal_param_read(&s->params[p], chosen, &s->values[p]);
  int count = 0;
  const char *const *sets = wal_args_list(args, "set", &count);
  for (int i = 0; i < count && status == WAL_OK; i++) {
    status = chosen && wal_args_on(args, table->chooser) ? check_chooser(table->chooser, sets[i]) : WAL_OK;
    if (status == WAL_OK) status = set_option(s, table->chooser, sets[i]);
    if (status != WAL_OK) wal_fail_in(status, "--set %.80s: ", sets[i]);
  }
  return status;
}

/* ---- the device and what files say ---- */

wal_status wal_device_begin(const wal_args *args, wal_device_choice *out) {
  const wal_status status = wal_device_flag(args, out);
  if (status == WAL_OK) wal_device_use(out->device);
  return status;
}

void wal_print_device(const wal_device_choice *device) {
  if (!wal_device_is_cpu(device->device)) printf("%-18s%s\n", "device", device->line);
}

static wal_status add_sets(const wal_args *args, wal_provenance *texts) {
  int count = 0;
  const char *const *sets = wal_args_list(args, "set", &count);
  wal_text all = {0};
  for (int i = 0; i < count; i++) wal_text_add(&all, "%s%s", i ? "\n" : "", sets[i]);
  char *joined = wal_text_steal(&all);
  const wal_status status = joined ? wal_provenance_add(texts, "sets", "%s", joined)
                                   : wal_fail(WAL_E_MEMORY, "no memory for --set");
  free(joined);
  return status;
}

wal_status wal_texts_begin(const wal_args *args, const wal_device_choice *device,
                           const wal_settings *settings, wal_provenance *texts) {
  char precision[128];
  wal_precision_text(&settings->point, 1, device->device, precision, sizeof precision);
  wal_status status = wal_provenance_collect(device, texts);
  if (status == WAL_OK) status = wal_provenance_add(texts, "precision", "%s", precision);
  return status ? status : add_sets(args, texts);
}

/* ---- --alpha ---- */

wal_status wal_alpha_flag(const wal_args *args, double *alpha) {
  const char *text = wal_args_text(args, "alpha");
  wal_value value;
  *alpha = NAN;
  if (!text) return WAL_OK;
  for (int p = 0; p < WAL_MARKET_PARAMS; p++)
    if (strcmp(wal_market_params[p].name, "alpha") == 0) {
      const wal_status status = wal_param_read(&wal_market_params[p], text, &value);
      if (status != WAL_OK) return wal_fail_in(status, "--alpha: ");
      *alpha = value.r;
      return WAL_OK;
    }
  return wal_fail(WAL_E_INTERNAL, "no parameter alpha");
}

/* ---- the output ---- */

/* The temporary file that Ctrl-C has to remove; "" for none. */
static char unfinished[4096];

static void on_signal(int number) {
  (void)number;
  if (unfinished[0]) unlink(unfinished);
  _exit(WAL_EXIT_INTERRUPTED);
}

static void remove_when_interrupted(const char *temporary) {
  static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
  snprintf(unfinished, sizeof unfinished, "%s", temporary);
  for (int k = 0; k < 3; k++)
    if (signal(signals[k], on_signal) == SIG_IGN) signal(signals[k], SIG_IGN); /* nohup walras ... */
  signal(SIGXFSZ, SIG_IGN); /* a file-size limit is a failed write like a full disk's */
}

wal_status wal_output_check(const char *in, const char *out) {
  struct stat a, b;
  const char *end = strrchr(out, '.');
  if (in && stat(in, &a) == 0 && stat(out, &b) == 0 && a.st_dev == b.st_dev && a.st_ino == b.st_ino)
    return wal_fail(WAL_E_INPUT, "-o %s is the input itself; expected another file (-o solution.h5 works)",
                    out);
  if (end && (strcasecmp(end, ".csv") == 0 || strcasecmp(end, ".json") == 0))
    return wal_fail(WAL_E_INPUT,
                    "-o %s: what is written is HDF5; expected such a name (-o solution.h5 works)", out);
  return WAL_OK;
}

wal_status wal_output_begin(const char *in, const char *out, wal_new_file **file) {
  wal_status status = wal_output_check(in, out);
  if (status == WAL_OK) status = wal_new_file_begin(out, file);
  if (status == WAL_OK) remove_when_interrupted(wal_new_file_temporary(*file));
  return status;
}

wal_status wal_allocation_check(const wal_args *args) {
  if (!wal_args_on(args, "allocation") || wal_args_text(args, "output")) return WAL_OK;
  return wal_fail(WAL_E_INPUT, "--allocation needs a file to write to: -o OUT.h5");
}

int wal_solving_code(wal_status status) {
  const int code = wal_exit_code(status);
  return status == WAL_E_DIVERGED ? WAL_EXIT_FAILED : code;
}

bool wal_allocation_wanted(const wal_args *args, const wal_market *market) {
  const double most_cells = 1e7; /* of an allocation that is written unasked */
  return wal_args_on(args, "allocation") || (double)market->n * market->m <= most_cells;
}

wal_status wal_output_write(const wal_solution_content *content, const char *out, wal_new_file *file) {
  const wal_status status = wal_solution_write(content, wal_new_file_temporary(file));
  if (status == WAL_OK) return wal_new_file_commit(file);
  wal_new_file_abandon(file);
  return wal_fail_in(status, "%s: ", out);
}

void wal_print_measures(const wal_measures *measures, double certified_gap) {
  printf("%-18s%.3g nats", "Nash gap NG", measures->nash_gap);
  if (isfinite(certified_gap)) printf(" (certified by the solver: %.3g)", certified_gap);
  printf("\n%-18s%.3g, %.3g\n", "VoA, VoP", measures->voa, measures->vop);
  printf("%-18s%.12g nats\n", "log Nash welfare", measures->lnw);
}

int wal_name_width(const char *name) {
  int width = 0;
  for (; *name; name++) width += (*name & 0xC0) != 0x80;
  return width;
}

void wal_print_name(const char *name, int number, int width) {
  char digits[16];
  snprintf(digits, sizeof digits, "%d", number);
  if (!name) name = digits;
  const int left = width - wal_name_width(name);
  for (int k = 0; *name && k < width; k++) {
    const unsigned char *byte = (const unsigned char *)name;
    const bool control = byte[0] < ' ' || byte[0] == 127 || (byte[0] == 0xC2 && byte[1] < 0xA0); /* C0, C1 */
    putchar(control ? '?' : *name);
    for (name++; (*name & 0xC0) == 0x80; name++)
      if (!control) putchar(*name);
  }
  printf("%*s", left > 0 ? left : 0, "");
}

/* ---- progress ---- */

bool wal_bar_open(wal_bar *bar) {
  *bar = (wal_bar){.progress = wal_progress_new(stderr, isatty(STDERR_FILENO), false, 1, wal_now())};
  return bar->progress != NULL;
}

void wal_bar_close(wal_bar *bar) { wal_progress_free(bar->progress); }

void wal_bar_show(void *context, double fraction, const char *what) {
  wal_bar *bar = context;
  const double now = wal_now();
  if (now - bar->shown < 0.1) return;
  bar->shown = now;
  wal_progress_update(bar->progress, 0, bar->label, fraction, what, now);
}
