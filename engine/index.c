#include "engine/index.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

/* Where the text stands, or the free slot where it would. */
static size_t slot_of(const wal_index *index, const char *text) {
  size_t mask = index->slots - 1, slot = (size_t)XXH3_64bits(text, strlen(text)) & mask;
  while (index->numbers[slot] && strcmp(index->texts[index->numbers[slot] - 1], text) != 0)
    slot = (slot + 1) & mask;
  return slot;
}

/* Makes room for one more text. */
static int grow(wal_index *index) {
  if (index->slots > 2 * ((size_t)index->count + 1)) return 0;
  wal_index larger = {.count = index->count, .slots = index->slots ? 2 * index->slots : 16};
  larger.numbers = calloc(larger.slots, sizeof *larger.numbers);
  larger.texts = realloc(index->texts, larger.slots / 2 * sizeof *larger.texts);
  if (larger.texts) index->texts = larger.texts;
  if (!larger.numbers || !larger.texts) {
    free(larger.numbers);
    return -1;
  }
  for (int i = 0; i < index->count; i++) larger.numbers[slot_of(&larger, larger.texts[i])] = i + 1;
  free(index->numbers);
  *index = larger;
  return 0;
}

int wal_index_find(const wal_index *index, const char *text) {
  return index->slots ? index->numbers[slot_of(index, text)] - 1 : -1;
}

int wal_index_add(wal_index *index, const char *text) {
  int known = wal_index_find(index, text);
  if (known >= 0) return known;
  char *copy = grow(index) == 0 ? strdup(text) : NULL;
  if (!copy) return -1;
  index->texts[index->count] = copy;
  index->numbers[slot_of(index, text)] = index->count + 1;
  return index->count++;
}

void wal_index_free(wal_index *index) {
  for (int i = 0; i < index->count; i++) free(index->texts[i]);
  free(index->texts);
  free(index->numbers);
  *index = (wal_index){0};
}
