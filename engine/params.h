/* The parameter table of an experiment: finding, reading and describing its entries. */
#ifndef WAL_ENGINE_PARAMS_H
#define WAL_ENGINE_PARAMS_H

#include "engine/config.h"

/* The column of /rows that a parameter fills. */
wal_column wal_param_column(const wal_param *param);

/* Reads and checks a value: type, range, choices. WAL_E_INPUT names the value found, what was expected and
   the default as one that works; no place, which the caller adds. */
wal_status wal_param_read(const wal_param *param, const char *text, wal_value *out);

/* "an integer of at least 1 buyers", "normal, uniform or exponential". */
void wal_param_expected(const wal_param *param, char *out, size_t size);

/* Every default. values: [experiment->param_count]. WAL_E_INTERNAL: a default breaks its own rule. */
wal_status wal_param_defaults(const wal_experiment *experiment, wal_value *values);

/* The parameter that a name written by a user means: its own, or GROUP.source for one that is a group too;
   -1: none. */
int wal_param_named(const wal_experiment *experiment, const char *name);

/* Does some parameter's name begin with "group."? */
bool wal_param_group(const wal_experiment *experiment, const char *group);

/* The part of a parameter's name directly below `group` ("" for the top): "width" of "fc.width" below "fc".
   Returns its length and *at where it begins in the name; 0 when the parameter is not below the group. */
size_t wal_param_component(const char *name, const char *group, const char **at);

/* Fails with: unknown KIND "WORD" of OWNER; did you mean "X"? It has NAMES. */
wal_status wal_fail_unknown(const char *kind, const char *word, const char *owner, const char *const names[],
                            int count);
/* The same for a parameter, its name dotted or not, below `group` ("" for the top). */
wal_status wal_fail_unknown_param(const wal_experiment *experiment, const char *group, const char *word);

#endif
