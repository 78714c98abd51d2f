/* The seam `experiment`: one figure or table of a paper. A member is one file in experiments/PAPER/ and one
   row of experiments/registry.c. */
#ifndef WAL_ENGINE_EXPERIMENT_H
#define WAL_ENGINE_EXPERIMENT_H

#include "engine/frame.h"

typedef enum {
  WAL_PARAM_KEY = 1,  /* always a column of /rows, also when not swept */
  WAL_PARAM_FILE = 2, /* text: the path of a file whose content, not its name, decides the cache key */
  /* text: the number format of networks. Another than the default needs a GPU (refused before any work), and
     only then does it count in the cache key: the CPU's results keep theirs. */
  WAL_PARAM_PRECISION = 4,
} wal_param_flags;

/* One parameter. The schema is declared once and drives YAML validation, --help, --set, the JSON schema, the
   banner, cache keys and HDF5 attributes. */
typedef struct {
  /* "n", "alpha", "fc.width": dots are nested mappings in YAML. "contexts" beside "contexts.path" is written
     `contexts: normal` or `contexts: {source: file, path: data.h5}`: only a text may be a group too. */
  const char *name;
  wal_type type;
  const char *standard; /* the default, as text */
  double min, max;      /* closed range for numbers (use -INFINITY, INFINITY) */
  const char *choices;  /* "normal|uniform|exponential" for text; NULL: free text */
  const char *unit;     /* "1" when dimensionless */
  const char *doc;      /* one line */
  const char *when;     /* NULL, or "solver=eg|eg_m": counts (cache key, banner) only then. One level only. */
  unsigned flags;       /* wal_param_flags */
} wal_param;

/* A resolved point, read by run_point. Asking for an undeclared name or a wrong type is our own mistake. */
typedef struct wal_point wal_point;
int64_t wal_point_int(const wal_point *point, const char *name);
double wal_point_real(const wal_point *point, const char *name);
bool wal_point_bool(const wal_point *point, const char *name);
const char *wal_point_text(const wal_point *point, const char *name);

/* Where a running point sends what it finds. Rows are built cell by cell; a column not set is missing. A key
   parameter that does not count at this point (n, when a file says how many) may be set like a column. */
typedef struct wal_sink wal_sink;
void wal_sink_row(wal_sink *sink); /* begins a new row */
void wal_sink_real(wal_sink *sink, const char *column, double value);
void wal_sink_int(wal_sink *sink, const char *column, int64_t value);
void wal_sink_text(wal_sink *sink, const char *column, const char *value);
/* Appends one line to the point's trace `series` ("train"): the names are fixed by the first call. */
void wal_sink_trace(wal_sink *sink, const char *series, int count, const char *const names[],
                    const double values[]);
/* Live progress: fraction in [0, 1]; what: a few words ("epoch 3/30, gap 2e-3"). Cheap: rate-limited inside.
 */
void wal_sink_progress(wal_sink *sink, double fraction, const char *what);
/* Keeps bytes under `key`, a text that says everything they depend on (settings, seed), whole or not at all,
   replacing what was there: checkpoints of a long computation, and its result, which other points and
   experiments with the same key then find. --force forgets what earlier runs kept. */
wal_status wal_sink_save(wal_sink *sink, const char *key, const void *bytes, int64_t size);
/* The bytes last kept, malloc'd; *bytes NULL: none (or damaged, which is none). */
wal_status wal_sink_load(wal_sink *sink, const char *key, void **bytes, int64_t *size);

typedef struct wal_result wal_result;   /* engine/result.h: rows, traces, config of one finished run */
typedef struct wal_drawing wal_drawing; /* engine/drawing.h: figures and tables to emit */

typedef struct {
  const char *id;     /* "marketfcnet/table1" */
  const char *title;  /* "Table 1: MarketFCNet against baselines" */
  const char *paper;  /* full reference: authors, title, year, figure number */
  const char *doc;    /* a paragraph for `walras explain` */
  int version;        /* raised when this file changes any number: part of the cache key */
  bool devices;       /* its points run on the device that was chosen; else always on the CPU */
  bool any_precision; /* on the CPU too: it says itself that there is none */
  const wal_param *params;
  int param_count;
  const wal_column *columns; /* what run_point fills; key columns of the parameters are added by the engine */
  int column_count;
  /* Pure: the same point gives the same rows (timing columns apart). Called in a process of its own, with
     WAL_E_* and wal_error() on failure; rows and traces sent before a failure are kept with it. */
  wal_status (*run_point)(const wal_point *point, wal_sink *sink);
  /* Describes the pictures and tables from the result alone (also a result read back from HDF5). */
  wal_status (*draw)(const wal_result *result, wal_drawing *drawing);
} wal_experiment;

/* The members, NULL-terminated; defined in experiments/registry.c and handed to the engine by main(). */
typedef const wal_experiment *const *wal_registry;

#endif
