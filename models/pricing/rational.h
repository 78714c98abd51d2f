/* Arrays of rationals (GMP). */
#ifndef WAL_PRICING_RATIONAL_H
#define WAL_PRICING_RATIONAL_H

#include <gmp.h>
#include <stddef.h>

mpq_t *wal_rationals(size_t count);                     /* all 0; NULL: no memory */
void wal_rationals_destroy(mpq_t *array, size_t count); /* accepts NULL */

#endif
