/* Who computed a result, with what and when: the key-value list that result files carry. */
#include <hdf5.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <yaml.h>

#include "engine/result.h"
#include "models/common/parallel.h"
#include "models/common/version.h"
#include "wal_build.h"
#include "wal_git.h"

/* The slot of a name: its own when it is there already, else a new one. NULL: no memory. */
static char **slot(wal_provenance *p, const char *name) {
  for (int i = 0; i < p->count; i++)
    if (strcmp(p->names[i], name) == 0) return &p->values[i];
  size_t size = (size_t)(p->count + 1) * sizeof(char *);
  char **names = realloc(p->names, size);
  if (names) p->names = names;
  char **values = realloc(p->values, size);
  if (values) p->values = values;
  char *copy = names && values ? strdup(name) : NULL;
  if (!copy) return NULL;
  names[p->count] = copy;
  values[p->count] = NULL;
  return &values[p->count++];
}

wal_status wal_provenance_add(wal_provenance *p, const char *name, const char *format, ...) {
  char *text = NULL;
  va_list args;
  va_start(args, format);
  int length = vasprintf(&text, format, args);
  va_end(args);
  char **value = length < 0 ? NULL : slot(p, name);
  if (!value) {
    if (length >= 0) free(text);
    return wal_fail(WAL_E_MEMORY, "no memory to record %s", name);
  }
  free(*value);
  *value = text;
  return WAL_OK;
}

const char *wal_provenance_get(const wal_provenance *p, const char *name) {
  for (int i = 0; i < p->count; i++)
    if (strcmp(p->names[i], name) == 0) return p->values[i];
  return NULL;
}

void wal_provenance_free(wal_provenance *p) {
  if (!p) return;
  for (int i = 0; i < p->count; i++) {
    free(p->names[i]);
    free(p->values[i]);
  }
  free(p->names);
  free(p->values);
  *p = (wal_provenance){0};
}

wal_status wal_provenance_now(wal_provenance *p, const char *name) {
  char text[32];
  time_t now = time(NULL);
  struct tm utc;
  strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &utc));
  return wal_provenance_add(p, name, "%s", text);
}

/* First line of a command's output without its newline; `otherwise` when there is none. */
static void first_line(const char *command, const char *otherwise, char *out, size_t size) {
  snprintf(out, size, "%s", otherwise);
  FILE *pipe = popen(command, "r");
  if (!pipe) return;
  char line[256];
  if (fgets(line, sizeof line, pipe)) {
    line[strcspn(line, "\n")] = '\0';
    snprintf(out, size, "%s", line);
  }
  while (fgets(line, sizeof line, pipe)) continue; /* let the command finish writing */
  pclose(pipe);
}

/* "model name" of /proc/cpuinfo, or the machine's architecture where the kernel gives none. */
static void cpu_model(char *out, size_t size) {
  struct utsname machine;
  snprintf(out, size, "%s", uname(&machine) == 0 ? machine.machine : "unknown");
  FILE *file = fopen("/proc/cpuinfo", "r");
  if (!file) return;
  char line[512];
  while (fgets(line, sizeof line, file)) {
    char *colon = strchr(line, ':');
    if (strncmp(line, "model name", 10) != 0 || !colon) continue;
    line[strcspn(line, "\n")] = '\0';
    snprintf(out, size, "%s", colon + 1 + strspn(colon + 1, " \t"));
    break;
  }
  fclose(file);
}

static wal_status collect_program(wal_provenance *out) {
  wal_status status = wal_provenance_add(out, "walras", "%s", WAL_VERSION);
  if (!status) status = wal_provenance_add(out, "git_commit", "%s", WAL_GIT_COMMIT);
  if (!status) status = wal_provenance_add(out, "git_dirty", "%s", WAL_GIT_DIRTY);
  if (!status) status = wal_provenance_add(out, "compiler", "%s", WAL_COMPILER);
  if (!status) status = wal_provenance_add(out, "compiler_flags", "%s", WAL_COMPILER_FLAGS);
  if (!status) status = wal_provenance_add(out, "build_type", "%s", WAL_BUILD_TYPE);
  return status;
}

static wal_status collect_libraries(wal_provenance *out) {
  unsigned major = 0, minor = 0, release = 0;
  char gnuplot[256];
  H5get_libversion(&major, &minor, &release);
  first_line("gnuplot --version 2>/dev/null", "not installed", gnuplot, sizeof gnuplot);
  const char *version = strncmp(gnuplot, "gnuplot ", 8) == 0 ? gnuplot + 8 : gnuplot;
  wal_status status = wal_provenance_add(out, "hdf5", "%u.%u.%u", major, minor, release);
  if (!status) status = wal_provenance_add(out, "libyaml", "%s", yaml_get_version_string());
  if (!status) status = wal_provenance_add(out, "gnuplot", "%s", version);
  return status;
}

/* The host's name is left out on purpose: result files are published. */
static wal_status collect_machine(const wal_device_choice *device, wal_provenance *out) {
  char cpu[512];
  struct utsname machine;
  bool known = uname(&machine) == 0;
  cpu_model(cpu, sizeof cpu);
  wal_status status = wal_provenance_add(out, "cpu", "%s", cpu);
  if (!status) status = wal_provenance_add(out, "cores", "%d", wal_cores());
  if (!status) status = wal_provenance_add(out, "threads", "%d", wal_threads());
  if (!status) status = wal_provenance_add(out, "device", "%s", device->device->name);
  if (!status) status = wal_provenance_add(out, "device_line", "%s", device->line);
  if (!status)
    status = wal_provenance_add(out, "kernel", "%s %s", known ? machine.sysname : "unknown",
                                known ? machine.release : "");
  return status;
}

wal_status wal_provenance_collect(const wal_device_choice *device, wal_provenance *out) {
  *out = (wal_provenance){0};
  wal_status status = collect_program(out);
  if (!status) status = collect_libraries(out);
  if (!status) status = collect_machine(device, out);
  if (!status) status = wal_provenance_add(out, "generator", "Random123 philox4x32-10");
  if (!status) status = wal_provenance_now(out, "start");
  if (status) wal_provenance_free(out);
  return status;
}
