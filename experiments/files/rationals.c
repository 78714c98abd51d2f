#include "experiments/files/rationals.h"

#include <ctype.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { DIGITS_MAX = 400, EXPONENT_MAX = 400 };

/* Digits of [text, end) with at most one point into `out`, times 10^-(digits after the point) and the
   exponent. Returns where it stopped; NULL: no number. */
static const char *scan_decimal(const char *text, mpq_t out) {
  char digits[DIGITS_MAX + 2];
  int count = 0, after = 0;
  bool point = false;
  const bool negative = *text == '-';
  text += *text == '-' || *text == '+';
  for (; isdigit((unsigned char)*text) || (*text == '.' && !point); text++) {
    if (*text == '.')
      point = true;
    else if (count == DIGITS_MAX)
      return NULL;
    else {
      digits[count++] = *text;
      after += point;
    }
  }
  if (count == 0) return NULL;
  digits[count] = '\0';
  long exponent = -after;
  if (*text == 'e' || *text == 'E') {
    char *end;
    const char *begin = text + 1 + (text[1] == '-' || text[1] == '+');
    if (!isdigit((unsigned char)*begin)) return NULL;
    const long given = strtol(text + 1, &end, 10);
    if (labs(given) > EXPONENT_MAX) return NULL;
    exponent += given;
    text = end;
  }
  mpz_set_str(mpq_numref(out), digits, 10);
  mpz_set_ui(mpq_denref(out), 1);
  mpz_t power;
  mpz_init(power);
  mpz_ui_pow_ui(power, 10, (unsigned long)labs(exponent));
  if (exponent > 0) mpz_mul(mpq_numref(out), mpq_numref(out), power);
  if (exponent < 0) mpz_set(mpq_denref(out), power);
  mpz_clear(power);
  mpq_canonicalize(out);
  if (negative) mpq_neg(out, out);
  return text;
}

typedef enum { READ, NO_NUMBER, NO_DENOMINATOR } outcome;

static outcome parse(const char *text, mpq_t out) {
  const char *rest = scan_decimal(text, out);
  if (!rest || (*rest && *rest != '/')) return NO_NUMBER;
  if (!*rest) return READ;
  mpq_t below;
  mpq_init(below);
  rest = scan_decimal(rest + 1, below);
  const outcome result = !rest || *rest ? NO_NUMBER : mpq_sgn(below) ? READ : NO_DENOMINATOR;
  if (result == READ) mpq_div(out, out, below);
  mpq_clear(below);
  return result;
}

wal_status wal_rational_read(const wal_yaml *yaml, const wal_node *node, const char *what, mpq_t out) {
  const outcome result = node->kind == WAL_NODE_SCALAR ? parse(node->text, out) : NO_NUMBER;
  if (result == NO_DENOMINATOR)
    return wal_node_fail(yaml, node, "%s: a denominator of 0; expected one above (2/3 works)", what);
  if (result == NO_NUMBER)
    return wal_node_fail(yaml, node,
                         "%s: expected a number such as 0.5 or 2/3 (at most %d digits, exponents to %d)",
                         what, DIGITS_MAX, EXPONENT_MAX);
  if (mpq_sgn(out) < 0)
    return wal_node_fail(yaml, node, "%s is %.60s; expected 0 or more (0.5 works)", what, node->text);
  const double near = mpq_get_d(out);
  if (mpq_sgn(out) && !(near >= DBL_MIN && near <= DBL_MAX))
    return wal_node_fail(yaml, node, "%s is %.60s; expected 0, or 1e-307 to 1e308", what, node->text);
  return WAL_OK;
}
