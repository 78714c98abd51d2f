/* Reading the blocks of a config: what config.c and sweep.c share. Every failure carries its place. */
#ifndef WAL_ENGINE_CONFIG_READ_H
#define WAL_ENGINE_CONFIG_READ_H

#include "engine/config.h"

typedef struct {
  const wal_yaml *yaml;
  const wal_experiment *experiment;
  const char *folder; /* of the config: what the paths in it are relative to */
} wal_reader;         /* all borrowed */

/* Gives the last failure the node's place: "file:line:col: ", the source line, a caret. */
wal_status wal_fail_at(const wal_reader *reader, const wal_node *node, wal_status status);

/* Is the node of this kind? `what` and `example` word the refusal: "params is a list; expected a mapping
   ({n: 16384} for example)". */
wal_status wal_expect(const wal_reader *reader, const wal_node *node, wal_node_kind kind, const char *what,
                      const char *example);
/* A mapping that has only these keys. */
wal_status wal_expect_keys(const wal_reader *reader, const wal_node *map, const char *what,
                           const char *example, const char *const keys[], int count);

/* Makes the path that a parameter was given one from the working directory, where it is relative to `folder`.
   Leaves other parameters and "" alone. */
wal_status wal_locate_file(const wal_param *param, const char *folder, wal_value *value);

/* A scalar as the value of a parameter. */
wal_status wal_read_value(const wal_reader *reader, int param, const wal_node *node, wal_value *out);
/* A plain number from `min` to `max`. */
wal_status wal_read_real(const wal_reader *reader, const wal_node *node, const char *what, double min,
                         double max, double *out);
wal_status wal_read_int(const wal_reader *reader, const wal_node *node, const char *what, int64_t min,
                        int64_t max, int64_t *out);

/* Calls visit for every parameter of a mapping, nested ({fc: {width: 64}}) or dotted ({fc.width: 64}), with
   its own value under "source" where it is a group too ({contexts: {source: file, path: data.h5}}).
   Refuses unknown names and a parameter written in both ways. `what` names the mapping in messages. */
typedef wal_status (*wal_param_visit)(void *context, int param, const wal_node *value);
wal_status wal_read_params(const wal_reader *reader, const wal_node *map, const char *what,
                           wal_param_visit visit, void *context);

/* A mapping of parameters to single values. */
wal_status wal_read_assignment(const wal_reader *reader, const wal_node *map, const char *what,
                               wal_assignment *out);
bool wal_assignment_add(wal_assignment *assignment, int param, const wal_value *value); /* false: no memory */
void wal_assignment_drop(wal_assignment *assignment, int param);                        /* when it is there */
void wal_assignment_free(wal_assignment *assignment); /* frees the members */

/* A text, malloc'd, in place of *out (freed). */
wal_status wal_read_text(const wal_reader *reader, const wal_node *node, const char *what,
                         const char *example, char **out);

/* The blocks `published:` and `regression:` of the file, into the config. */
wal_status wal_read_published(const wal_reader *reader, const wal_node *root, wal_config *config);
wal_status wal_read_regression(const wal_reader *reader, const wal_node *root, wal_config *config);
void wal_published_free(wal_published *published, int count);
void wal_tolerances_free(wal_tolerance *tolerances, int count);

#endif
