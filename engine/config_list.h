/* Which config files a word on the command line means. */
#ifndef WAL_ENGINE_CONFIG_LIST_H
#define WAL_ENGINE_CONFIG_LIST_H

#include "models/common/status.h"

typedef struct {
  int count;
  char **paths; /* [count] owned */
} wal_config_list;

/* Adds a file as it stands, or every .yaml file below a folder, by name; with `profile` (NULL: any) only
   those whose `profiles` have it. A folder without any is WAL_E_INPUT. A file that cannot be parsed is kept:
   loading it gives the message. */
wal_status wal_config_list_add(wal_config_list *list, const char *path, const char *profile);
void wal_config_list_free(wal_config_list *list);

#endif
