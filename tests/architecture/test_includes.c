/* Reads every #include of the rooms and fails on an arrow that the plan of the house does not allow, or a
   cycle of headers. */
#include <check.h>
#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "tests/suite.h"

/* A room and what its files may include, besides the room itself. */
static const struct {
  const char *room;
  const char *may[5]; /* NULL-terminated prefixes */
} rooms[] = {
    {"engine/", {"models/common/"}},
    {"models/common/", {NULL}},
    {"models/nn/", {"models/common/"}},
    {"models/market/", {"models/common/", "models/nn/"}},
    {"models/", {"models/common/", "models/nn/"}}, /* any later paper: its own folder, see may_include */
    {"gpu/", {"models/"}},
    {"experiments/devices.c", {"engine/", "gpu/cuda.h"}}, /* the one door to gpu/ */
    {"experiments/", {"engine/", "models/"}},
};
enum { ROOMS = sizeof rooms / sizeof *rooms };

static bool begins(const char *text, const char *prefix) {
  return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* The folder of a file with its slash: "models/market/". */
static void folder_of(const char *file, char *out, size_t size) {
  const char *slash = strrchr(file, '/');
  snprintf(out, size, "%.*s", slash ? (int)(slash - file + 1) : 0, file);
}

/* May `file` include `included`? Both are paths from the root. */
static bool may_include(const char *file, const char *included) {
  char folder[256];
  folder_of(file, folder, sizeof folder);
  if (begins(included, folder)) return true;
  for (int r = 0; r < ROOMS; r++) {
    if (!begins(file, rooms[r].room)) continue;
    if (strcmp(rooms[r].room, "models/") != 0 && begins(included, rooms[r].room)) return true;
    for (int m = 0; rooms[r].may[m]; m++)
      if (begins(included, rooms[r].may[m])) return true;
    return false;
  }
  return false; /* a file in no room */
}

/* ---- The graph of files ---- */

enum { MOST_FILES = 1000, MOST_EDGES = 20000, PATH_SIZE = 256 };
static char files[MOST_FILES][PATH_SIZE];
static int file_count;
static struct { int from, to; } edges[MOST_EDGES];
static int edge_count, forbidden;

static int find_file(const char *path) {
  for (int f = 0; f < file_count; f++)
    if (strcmp(files[f], path) == 0) return f;
  return -1;
}

static bool is_source(const char *name) {
  const char *dot = strrchr(name, '.');
  return dot && (strcmp(dot, ".c") == 0 || strcmp(dot, ".h") == 0 || strcmp(dot, ".cu") == 0 ||
                 strcmp(dot, ".cuh") == 0);
}

static void collect(const char *folder) {
  char full[1024];
  snprintf(full, sizeof full, "%s/%s", WAL_SOURCE_DIR, folder);
  DIR *listing = opendir(full);
  if (!listing) return; /* a room that is not built yet, such as gpu/ */
  for (struct dirent *entry; (entry = readdir(listing)) != NULL;) {
    if (entry->d_name[0] == '.') continue;
    char path[PATH_SIZE];
    int length = snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
    ck_assert_int_lt(length, PATH_SIZE);
    struct stat found;
    snprintf(full, sizeof full, "%s/%s", WAL_SOURCE_DIR, path);
    if (stat(full, &found) == 0 && S_ISDIR(found.st_mode))
      collect(path);
    else if (is_source(path)) {
      ck_assert_int_lt(file_count, MOST_FILES);
      strcpy(files[file_count++], path);
    }
  }
  closedir(listing);
}

/* The path of an #include "..." line; false for any other line. */
static bool quoted_include(const char *line, char *out) {
  line += strspn(line, " \t");
  if (*line != '#') return false;
  line += 1 + strspn(line + 1, " \t");
  if (!begins(line, "include")) return false;
  line += strlen("include");
  return sscanf(line, " \"%255[^\"]\"", out) == 1;
}

/* Headers that CMake writes for the engine: what the program says of its own build. */
static bool is_generated(const char *file, const char *included) {
  return begins(file, "engine/") &&
         (strcmp(included, "wal_build.h") == 0 || strcmp(included, "wal_git.h") == 0);
}

static void read_includes(int file) {
  char full[1024], line[1024], included[PATH_SIZE];
  snprintf(full, sizeof full, "%s/%s", WAL_SOURCE_DIR, files[file]);
  FILE *text = fopen(full, "r");
  ck_assert_ptr_nonnull(text);
  for (int number = 1; fgets(line, sizeof line, text); number++) {
    if (!quoted_include(line, included) || is_generated(files[file], included)) continue;
    int to = find_file(included);
    if (to < 0 || !may_include(files[file], included)) {
      forbidden++;
      fprintf(stderr, "%s:%d: may not include \"%s\"%s\n", files[file], number, included,
              to < 0 ? ": no such file from the root of the source" : "");
      continue;
    }
    ck_assert_int_lt(edge_count, MOST_EDGES);
    edges[edge_count].from = file;
    edges[edge_count++].to = to;
  }
  fclose(text);
}

static void read_house(void) {
  static const char *const roots[] = {"engine", "models", "gpu", "experiments"};
  file_count = edge_count = forbidden = 0;
  for (int r = 0; r < 4; r++) collect(roots[r]);
  for (int f = 0; f < file_count; f++) read_includes(f);
}

/* Depth-first search; state 1: on the path, 2: done. */
static int state[MOST_FILES];
static bool on_cycle(int file) {
  state[file] = 1;
  for (int e = 0; e < edge_count; e++) {
    if (edges[e].from != file) continue;
    if (state[edges[e].to] == 1 || (state[edges[e].to] == 0 && on_cycle(edges[e].to))) {
      fprintf(stderr, "cycle through %s -> %s\n", files[file], files[edges[e].to]);
      return true;
    }
  }
  state[file] = 2;
  return false;
}

/* ---- Tests ---- */

START_TEST(the_rule_itself) {
  ck_assert(may_include("engine/cli.c", "engine/cli.h"));
  ck_assert(may_include("engine/cli.c", "models/common/status.h"));
  ck_assert(!may_include("engine/cli.c", "models/market/market.h"));
  ck_assert(!may_include("engine/cli.c", "experiments/registry.h"));
  ck_assert(may_include("models/market/eg.c", "models/nn/mlp.h"));
  ck_assert(!may_include("models/market/eg.c", "engine/value.h"));
  ck_assert(!may_include("models/nn/mlp.c", "models/market/market.h"));
  ck_assert(!may_include("models/common/rng.c", "models/nn/mlp.h"));
  ck_assert(may_include("models/pricing/a.c", "models/pricing/a.h"));
  ck_assert(!may_include("models/pricing/a.c", "models/market/market.h"));
  ck_assert(may_include("gpu/mlp.cu", "models/nn/mlp.h"));
  ck_assert(!may_include("gpu/mlp.cu", "engine/value.h"));
  ck_assert(may_include("experiments/marketfcnet/table1.c", "experiments/registry.h"));
  ck_assert(may_include("experiments/marketfcnet/table1.c", "models/market/solver.h"));
  ck_assert(may_include("experiments/devices.c", "gpu/cuda.h"));
  ck_assert(!may_include("experiments/devices.c", "gpu/base/session.h"));
  ck_assert(!may_include("experiments/marketfcnet/table1.c", "gpu/cuda.h"));
  ck_assert(!may_include("engine/device.c", "gpu/cuda.h"));
}
END_TEST

START_TEST(every_arrow_is_allowed) {
  read_house();
  ck_assert_int_gt(file_count, 30); /* the house was found */
  ck_assert_int_gt(edge_count, 50);
  ck_assert_int_eq(forbidden, 0);
}
END_TEST

START_TEST(headers_have_no_cycle) {
  read_house();
  for (int f = 0; f < file_count; f++) ck_assert(state[f] == 2 || !on_cycle(f));
}
END_TEST

int main(void) {
  Suite *suite = suite_create("includes");
  TCase *tcase = tcase_create("includes");
  tcase_add_test(tcase, the_rule_itself);
  tcase_add_test(tcase, every_arrow_is_allowed);
  tcase_add_test(tcase, headers_have_no_cycle);
  suite_add_tcase(suite, tcase);
  return run_suite(suite);
}
