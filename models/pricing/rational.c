#include "models/pricing/rational.h"

#include <stdlib.h>

mpq_t *wal_rationals(size_t count) {
  mpq_t *array = malloc((count ? count : 1) * sizeof *array);
  for (size_t e = 0; array && e < count; e++) mpq_init(array[e]);
  return array;
}

void wal_rationals_destroy(mpq_t *array, size_t count) {
  for (size_t e = 0; array && e < count; e++) mpq_clear(array[e]);
  free(array);
}
