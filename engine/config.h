/* A YAML experiment config, validated against the experiment's schema and expanded into points.

   experiment: marketfcnet/table1      # required: an id of `walras list`
   name: my/sweep                      # optional: results/my/sweep.h5; default: the path under configs/
   title: ...                          # optional; caption: ... optional text under every picture
   params: {n: 16384, fc: {width: 64}} # constants
   sweep:                              # a mapping, or a list of mappings (their union, in order)
     grid: {alpha: [1, 0.5], seed: [1, 2, 3]}      # product; lists, {from, to, steps, scale: linear|log|pow2}
     zip: {n: [1024, 4096], m: [5, 10]}            # side by side
     list: [{solver: eg, eg: {step: 1000}}]        # written out
     random: {count: 20, seed: 1, draw: {alpha: {from: -4, to: 1}, n: {from: 2^10, to: 2^20, scale: log}}}
     exclude: [{solver: eg, alpha: 1}]             # points to leave out
   profiles: {smoke: {params: ..., sweep: ..., caption: ..., expect_s: 5}, ci: ..., paper: ...}
   published: [{where: {solver: eg}, setting: {n: 2^20}, values: {nash_gap: 2.17e-2}, source: "Table 1"}]
   regression: [{where: {solver: fc}, rtol: {nash_gap: 0.5}, atol: {voa: 1e-3}}]

   Blocks of one mapping multiply (grid x zip x list x random). A profile's `params` override key by key; its
   `sweep` replaces. --set NAME=VALUE overrides last and replaces that parameter's sweep axis; NAME=V1,V2 sweeps.
   A path is relative to the folder of the config, with --set to the working directory; the value that points have is
   relative to the working directory, without "." and "name/..". */
#ifndef WAL_ENGINE_CONFIG_H
#define WAL_ENGINE_CONFIG_H

#include "engine/experiment.h"
#include "engine/yaml.h"
#include "models/common/device.h"

struct wal_point {
  const wal_experiment *experiment; /* borrowed */
  wal_value *values;                /* [experiment->param_count] owned */
};

/* A condition or assignment on some parameters. */
typedef struct {
  int count;
  int *param;        /* index into experiment->params */
  wal_value *value;
} wal_assignment;

typedef struct {
  wal_assignment where;   /* rows it belongs to */
  wal_assignment setting; /* where the paper measured it; differences from ours are said in captions */
  int count;
  int *column;            /* index into experiment->columns */
  double *value;
  char *source;           /* "Table 1" */
} wal_published;

typedef struct {
  wal_assignment where;
  int count;
  int *column;
  double *rtol, *atol;    /* NaN: the column's own */
} wal_tolerance;

typedef struct {
  const wal_experiment *experiment; /* borrowed */
  char *name;       /* "marketfcnet/table1": the path under results/ and plots/ */
  char *title, *caption; /* caption may be "" */
  char *profile;    /* "ci" */
  char *path;       /* of the YAML file */
  char *yaml;       /* verbatim text */
  char *sets;       /* the --set flags, newline-separated, "" when none */
  double expect_s;  /* expected seconds on 2 cores, from the profile; NaN: not said, or --set is in use */
  int point_count;
  wal_point *points;/* in sweep order, duplicates (same cache key) removed */
  bool *swept;      /* [param_count] takes more than one value over the points */
  int published_count;
  wal_published *published;
  int tolerance_count;
  wal_tolerance *tolerances;
} wal_config;

/* Loads, validates, expands. profile NULL: "ci" when the file has it, else the plain file. Every error is one
   message with file:line:column (or the --set flag), the allowed values, "did you mean", a value that works.
   Files that parameters name, where they count, must be there. */
wal_status wal_config_load(const char *path, const char *profile, const char *const sets[], int set_count,
                           wal_registry registry, wal_config **out);
/* The same from text, as stored in a result file; the files it names may be gone. */
wal_status wal_config_parse(const char *text, const char *file, const char *profile,
                            const char *const sets[], int set_count, wal_registry registry, wal_config **out);
void wal_config_free(wal_config *config);

/* Is the parameter of account at this point (its `when` holds)? */
bool wal_point_counts(const wal_point *point, int param);
/* The points, in sweep order, where a parameter takes a value for the first time, among those where it counts;
   malloc'd, *count of them; NULL: no memory. */
int *wal_config_distinct(const wal_config *config, int param, int *count);
/* Does the point satisfy every condition? */
bool wal_assignment_holds(const wal_assignment *where, const wal_point *point);
/* Canonical key text: "experiment ID\nversion V\nmodels M\nNAME=VALUE\n..." over the counting parameters sorted by name.
   A device other than the CPU adds the line "device NAME" where the experiment has `devices`. A file stands for its
   content: "contexts.path=xxh128 HASH". Returns malloc'd text; NULL: no memory. */
char *wal_point_key(const wal_point *point, const wal_device *device);
/* The same with the paths of files, which it does not read: tells the points of a sweep apart. */
char *wal_point_settings(const wal_point *point);
/* The files that the points read, as YAML, "" when none: "contexts.path:\n  \"data.h5\": {bytes: 9, xxh128: HASH}\n".
   malloc'd; NULL: no memory. */
char *wal_config_files(const wal_config *config);
/* "solver=eg alpha=-1 seed=2": the swept parameters of this point. */
void wal_point_label(const wal_config *config, const wal_point *point, char *out, size_t size);
/* The resolved config as YAML text (every parameter, every swept value), malloc'd. */
char *wal_config_resolved(const wal_config *config);

const wal_experiment *wal_experiment_find(wal_registry registry, const char *id); /* NULL: none */
int wal_param_find(const wal_experiment *experiment, const char *name);           /* -1: none */
/* JSON Schema (draft 2020-12) of this experiment's configs, for editors. Printed to `out`. */
void wal_schema_print(const wal_experiment *experiment, FILE *out);

#endif
