/* Numbers texts 0, 1, 2... in order of first appearance: what groups, distinct values and lines of a figure
   are found by, in one look each. */
#ifndef WAL_ENGINE_INDEX_H
#define WAL_ENGINE_INDEX_H

#include <stddef.h>

/* Begin with `wal_index index = {0};`. */
typedef struct {
  int count;
  char **texts; /* [count] owned, in order of first appearance */
  size_t slots; /* a power of two, more than twice the count; 0 while empty */
  int *numbers; /* [slots] number + 1 of the text that hashes here or before; 0: free */
} wal_index;

/* The number of a text, a new one when it was not met before; -1: no memory. */
int wal_index_add(wal_index *index, const char *text);
/* The number of a text; -1: not met before. */
int wal_index_find(const wal_index *index, const char *text);
void wal_index_free(wal_index *index); /* accepts a zeroed one */

#endif
