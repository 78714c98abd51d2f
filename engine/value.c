#include "engine/value.h"

#include <ctype.h>
#include <errno.h>
#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/util.h"

const char *wal_type_name(wal_type type) {
  switch (type) {
    case WAL_INT:
      return "integer";
    case WAL_REAL:
      return "number";
    case WAL_BOOL:
      return "true/false";
    case WAL_TEXT:
      return "text";
  }
  return "unknown type";
}

/* Skips a sign and then one or more digits; NULL when there are none. */
static const char *skip_integer(const char *s) {
  if (*s == '+' || *s == '-') s++;
  if (!isdigit((unsigned char)*s)) return NULL;
  while (isdigit((unsigned char)*s)) s++;
  return s;
}

/* Is the whole text a decimal number? strtod alone would also take hexadecimal, "nan" and "infinity". */
static bool is_decimal(const char *s) {
  if (*s == '+' || *s == '-') s++;
  int digits = 0;
  for (; isdigit((unsigned char)*s); s++) digits++;
  if (*s == '.') {
    for (s++; isdigit((unsigned char)*s); s++) digits++;
  }
  if (digits == 0) return false;
  if (*s == 'e' || *s == 'E') s = skip_integer(s + 1);
  return s && *s == '\0';
}

/* "2^20", "-10^3", "2^-4": is the whole text a power, and which? The sign is the result's: -2^2 = -4. */
static bool parse_power(const char *text, double *out) {
  const char *caret = skip_integer(text);
  if (!caret || *caret != '^') return false;
  const char *end = skip_integer(caret + 1);
  if (!end || *end != '\0') return false;
  double power = pow(fabs(strtod(text, NULL)), strtod(caret + 1, NULL));
  *out = *text == '-' ? -power : power;
  return true;
}

static bool parse_infinity(const char *text, double *out) {
  bool negative = *text == '-';
  if (*text == '+' || *text == '-') text++;
  if (*text == '.') text++;
  if (strcmp(text, "inf") != 0) return false;
  *out = negative ? -INFINITY : INFINITY;
  return true;
}

/* Does the number before its exponent differ from zero? */
static bool has_nonzero_digit(const char *text) {
  for (; *text && !strchr("eE^", *text); text++) {
    if (*text >= '1' && *text <= '9') return true;
  }
  return false;
}

static wal_status parse_real(const char *text, double *out) {
  if (parse_infinity(text, out)) return WAL_OK;
  bool power = parse_power(text, out);
  if (!power && !is_decimal(text)) {
    return wal_fail(WAL_E_INPUT, "\"%.60s\" is not a number (write 0.5, 1e-3, 2^20 or .inf)", text);
  }
  if (!power) *out = strtod(text, NULL);
  if (!isfinite(*out)) {
    return wal_fail(WAL_E_INPUT, "%.60s is larger than any double (write .inf for infinity)", text);
  }
  if (*out == 0 && has_nonzero_digit(text)) {
    return wal_fail(WAL_E_INPUT, "%.60s is smaller than any double above zero (write 0)", text);
  }
  return WAL_OK;
}

static wal_status parse_int(const char *text, int64_t *out) {
  const char *end = skip_integer(text);
  if (end && *end == '\0') {
    errno = 0;
    *out = strtoll(text, NULL, 10);
    /* INT64_MIN marks a missing cell of a frame. */
    if (errno == 0 && *out != INT64_MIN) return WAL_OK;
    return wal_fail(WAL_E_INPUT, "%.60s does not fit 64 bits (9e15 does)", text);
  }
  double real;
  if ((parse_power(text, &real) || is_decimal(text)) && parse_real(text, &real) == WAL_OK) {
    const double exact = 9007199254740992.0; /* 2^53: from here on doubles skip integers */
    if (real == floor(real) && fabs(real) <= exact) {
      *out = (int64_t)real;
      return WAL_OK;
    }
  }
  return wal_fail(WAL_E_INPUT, "\"%.60s\" is not an integer (write 12, 2^20 or 1e6)", text);
}

static wal_status parse_bool(const char *text, bool *out) {
  *out = strcmp(text, "true") == 0;
  if (*out || strcmp(text, "false") == 0) return WAL_OK;
  return wal_fail(WAL_E_INPUT, "\"%.60s\" is neither true nor false", text);
}

static wal_status parse_text(const char *text, char out[WAL_TEXT_MAX]) {
  size_t length = strlen(text);
  if (length >= WAL_TEXT_MAX) {
    return wal_fail(WAL_E_INPUT, "\"%.20s...\" has %zu bytes; a text has at most %d", text, length,
                    WAL_TEXT_MAX - 1);
  }
  if (wal_utf8_check(text, length) != length) return wal_fail(WAL_E_INPUT, "a text that is not UTF-8");
  for (const char *s = text; *s; s++) {
    if (iscntrl((unsigned char)*s)) {
      return wal_fail(WAL_E_INPUT, "a text with a line break, tab or other control character");
    }
  }
  memcpy(out, text, length + 1);
  return WAL_OK;
}

wal_status wal_value_parse(wal_type type, const char *text, wal_value *out) {
  memset(out, 0, sizeof *out);
  out->type = type;
  switch (type) {
    case WAL_INT:
      return parse_int(text, &out->i);
    case WAL_REAL:
      return parse_real(text, &out->r);
    case WAL_BOOL:
      return parse_bool(text, &out->b);
    case WAL_TEXT:
      return parse_text(text, out->text);
  }
  return wal_fail(WAL_E_INTERNAL, "unknown value type %d", (int)type);
}

/* Fifteen digits give back every decimal of up to fifteen digits (%g drops trailing zeros), so only doubles
   that have none need 16 or 17. Subnormals carry fewer digits: there every length is tried. */
static void format_real(double r, char *out, size_t size) {
  if (isnan(r) || isinf(r)) {
    snprintf(out, size, "%s", isnan(r) ? "nan" : r > 0 ? "inf" : "-inf");
    return;
  }
  char text[40];
  int digits = fabs(r) < DBL_MIN ? 1 : 15;
  do {
    snprintf(text, sizeof text, "%.*g", digits, r);
  } while (strtod(text, NULL) != r && ++digits <= 17);
  snprintf(out, size, "%s", text);
}

void wal_value_format(const wal_value *value, char *out, size_t size) {
  switch (value->type) {
    case WAL_INT:
      snprintf(out, size, "%" PRId64, value->i);
      return;
    case WAL_REAL:
      format_real(value->r, out, size);
      return;
    case WAL_BOOL:
      snprintf(out, size, "%s", value->b ? "true" : "false");
      return;
    case WAL_TEXT:
      snprintf(out, size, "%s", value->text);
      return;
  }
}

bool wal_value_equal(const wal_value *a, const wal_value *b) {
  if (a->type != b->type) return false;
  switch (a->type) {
    case WAL_INT:
      return a->i == b->i;
    case WAL_REAL:
      return memcmp(&a->r, &b->r, sizeof a->r) == 0;
    case WAL_BOOL:
      return a->b == b->b;
    case WAL_TEXT:
      return strcmp(a->text, b->text) == 0;
  }
  return false;
}
