/* JSON Schema (draft 2020-12) of an experiment's configs. Every value is described once, under $defs; the
   blocks that hold parameters nest them as the YAML does and refer to it. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/params.h"

static void print_string(FILE *out, const char *text) {
  fputc('"', out);
  for (; *text; text++) {
    unsigned char c = (unsigned char)*text;
    if (c < 0x20) {
      fprintf(out, "\\u%04x", c);
    } else {
      if (c == '"' || c == '\\') fputc('\\', out);
      fputc(c, out);
    }
  }
  fputc('"', out);
}

static void print_choices(const char *choices, FILE *out) {
  fputs(", \"enum\": [", out);
  for (const char *s = choices; *s;) {
    int length = (int)strcspn(s, "|");
    fprintf(out, "%s\"%.*s\"", s == choices ? "" : ", ", length, s);
    s += length + (s[length] == '|');
  }
  fputc(']', out);
}

static void print_bound(const char *name, double bound, FILE *out) {
  if (!isfinite(bound)) return;
  char text[64];
  wal_value_format(&(wal_value){.type = WAL_REAL, .r = bound}, text, sizeof text);
  fprintf(out, ", \"%s\": %s", name, text);
}

/* A number may also be written as a power, 2^20, a text to JSON; to readers of YAML 1.1 so is 1e-4. */
#define NUMBER_TEXT "{\"type\": \"string\", \"pattern\": \"^[-+]?[0-9.]+(\\\\^|[eE])[-+]?[0-9]+$\"}"

static void print_number(const wal_param *param, FILE *out) {
  fprintf(out, "\"anyOf\": [{\"type\": \"%s\"", param->type == WAL_INT ? "integer" : "number");
  print_bound("minimum", param->min, out);
  print_bound("maximum", param->max, out);
  fputs("}, " NUMBER_TEXT "]", out);
}

static void print_type(const wal_param *param, FILE *out) {
  switch (param->type) {
    case WAL_INT:
    case WAL_REAL:
      print_number(param, out);
      return;
    case WAL_BOOL:
      fputs("\"type\": \"boolean\"", out);
      return;
    case WAL_TEXT:
      fprintf(out, "\"type\": \"string\", \"maxLength\": %d", WAL_TEXT_MAX - 1);
      if (param->choices) print_choices(param->choices, out);
      return;
  }
}

static void print_default(const wal_param *param, FILE *out) {
  wal_value value;
  char text[WAL_TEXT_MAX];
  if (wal_value_parse(param->type, param->standard, &value) != WAL_OK) return;
  if (param->type == WAL_REAL && !isfinite(value.r)) return; /* JSON has no infinity */
  wal_value_format(&value, text, sizeof text);
  fputs(", \"default\": ", out);
  if (param->type == WAL_TEXT) {
    print_string(out, text);
  } else {
    fputs(text, out);
  }
}

/* "value.NAME": {...}: the doc, with the unit and the condition under which it counts. */
static void print_value(const wal_param *param, FILE *out) {
  fprintf(out, "    \"value.%s\": {", param->name);
  print_type(param, out);
  print_default(param, out);
  char text[512];
  bool unit = param->unit && strcmp(param->unit, "1") != 0;
  bool file = param->flags & WAL_PARAM_FILE;
  snprintf(text, sizeof text, "%s%s%s%s%s%s%s", param->doc, file ? ", relative to the config's folder" : "",
           unit ? " [" : "", unit ? param->unit : "", unit ? "]" : "", param->when ? "; counts when " : "",
           param->when ? param->when : "");
  fputs(", \"description\": ", out);
  print_string(out, text);
  fputs("},\n", out);
}

/* What a block takes for one parameter. */
typedef enum { VALUES, AXES, DRAWS } leaf;

static void print_leaf(const wal_param *param, leaf kind, FILE *out) {
  if (kind == VALUES) {
    fprintf(out, "{\"$ref\": \"#/$defs/value.%s\"}", param->name);
    return;
  }
  bool number = param->type == WAL_INT || param->type == WAL_REAL;
  if (number) fputs("{\"anyOf\": [", out);
  fprintf(out, "{\"type\": \"array\", \"minItems\": 1, \"items\": {\"$ref\": \"#/$defs/value.%s\"}}",
          param->name);
  if (number) fprintf(out, ", {\"$ref\": \"#/$defs/%s\"}]}", kind == AXES ? "range" : "draw_range");
}

/* Was the component of parameter p below the group met before? */
static bool met_before(const wal_experiment *experiment, const char *group, int p, const char *at,
                       size_t length) {
  for (int q = 0; q < p; q++) {
    const char *other;
    size_t n = wal_param_component(experiment->params[q].name, group, &other);
    if (n == length && memcmp(other, at, n) == 0) return true;
  }
  return false;
}

static void print_group(const wal_experiment *experiment, const char *group, leaf kind, FILE *out);

/* What stands under a name: a parameter, a group, or a parameter that is a group too. */
static void print_entry(const wal_experiment *experiment, const char *name, leaf kind, FILE *out) {
  int param = wal_param_find(experiment, name);
  bool group = wal_param_group(experiment, name), both = param >= 0 && group;
  if (both) fputs("{\"anyOf\": [", out);
  if (param >= 0) print_leaf(&experiment->params[param], kind, out);
  if (both) fputs(", ", out);
  if (group) print_group(experiment, name, kind, out);
  if (both) fputs("]}", out);
}

/* {"type": "object", "properties": {...}} of the parameters below a group, subgroups within; its own value,
   if it has one, under "source". */
static void print_group(const wal_experiment *experiment, const char *group, leaf kind, FILE *out) {
  fputs("{\"type\": \"object\", \"additionalProperties\": false, \"properties\": {", out);
  int own = *group ? wal_param_find(experiment, group) : -1;
  if (own >= 0) fputs("\"source\": ", out);
  if (own >= 0) print_leaf(&experiment->params[own], kind, out);
  bool first = own < 0;
  for (int p = 0; p < experiment->param_count; p++) {
    const wal_param *param = &experiment->params[p];
    const char *at;
    size_t length = wal_param_component(param->name, group, &at);
    if (length == 0 || met_before(experiment, group, p, at, length)) continue;
    char name[WAL_TEXT_MAX];
    snprintf(name, sizeof name, "%.*s", (int)(at - param->name) + (int)length, param->name);
    fprintf(out, "%s\"%.*s\": ", first ? "" : ", ", (int)length, at);
    first = false;
    print_entry(experiment, name, kind, out);
  }
  fputs("}}", out);
}

static void print_defs(const wal_experiment *experiment, FILE *out) {
  static const struct {
    const char *name;
    leaf kind;
  } groups[] = {{"params", VALUES}, {"axes", AXES}, {"draws", DRAWS}};
  for (int p = 0; p < experiment->param_count; p++) print_value(&experiment->params[p], out);
  for (size_t i = 0; i < sizeof groups / sizeof *groups; i++) {
    fprintf(out, "    \"%s\": ", groups[i].name);
    print_group(experiment, "", groups[i].kind, out);
    fputs(",\n", out);
  }
  fputs("    \"columns\": {\"type\": \"object\", \"additionalProperties\": false, \"properties\": {", out);
  bool first = true;
  for (int c = 0; c < experiment->column_count; c++) {
    const wal_column *column = &experiment->columns[c];
    if (column->type != WAL_REAL && column->type != WAL_INT) continue;
    fprintf(out, "%s\"%s\": {\"anyOf\": [{\"type\": \"number\"}, " NUMBER_TEXT "], \"description\": ",
            first ? "" : ", ", column->name);
    print_string(out, column->doc ? column->doc : "");
    fputc('}', out);
    first = false;
  }
  fputs("}},\n", out);
}

/* The part that is the same for every experiment. */
static const char fixed_defs[] =
    "    \"number\": {\"type\": [\"number\", \"string\"]},\n"
    "    \"range\": {\"type\": \"object\", \"additionalProperties\": false, \"required\": [\"from\", "
    "\"to\"], "
    "\"properties\": {\"from\": {\"$ref\": \"#/$defs/number\"}, \"to\": {\"$ref\": \"#/$defs/number\"}, "
    "\"steps\": "
    "{\"type\": \"integer\", \"minimum\": 2}, \"scale\": {\"enum\": [\"linear\", \"log\", \"pow2\"]}}},\n"
    "    \"draw_range\": {\"type\": \"object\", \"additionalProperties\": false, \"required\": [\"from\", "
    "\"to\"], "
    "\"properties\": {\"from\": {\"$ref\": \"#/$defs/number\"}, \"to\": {\"$ref\": \"#/$defs/number\"}, "
    "\"scale\": "
    "{\"enum\": [\"linear\", \"log\", \"pow2\"]}}},\n"
    "    \"assignments\": {\"type\": \"array\", \"minItems\": 1, \"items\": {\"$ref\": "
    "\"#/$defs/params\"}},\n"
    "    \"block\": {\"type\": \"object\", \"additionalProperties\": false, \"properties\": {\n"
    "      \"grid\": {\"$ref\": \"#/$defs/axes\", \"description\": \"product of the axes\"},\n"
    "      \"zip\": {\"$ref\": \"#/$defs/axes\", \"description\": \"axes side by side\"},\n"
    "      \"list\": {\"$ref\": \"#/$defs/assignments\", \"description\": \"points written out\"},\n"
    "      \"random\": {\"type\": \"object\", \"additionalProperties\": false, \"required\": [\"count\", "
    "\"draw\"], "
    "\"properties\": {\"count\": {\"type\": \"integer\", \"minimum\": 1}, \"seed\": {\"type\": \"integer\", "
    "\"minimum\": 0, \"default\": 1}, \"draw\": {\"$ref\": \"#/$defs/draws\"}}},\n"
    "      \"exclude\": {\"$ref\": \"#/$defs/assignments\", \"description\": \"points to leave out\"}}},\n"
    "    \"sweep\": {\"anyOf\": [{\"$ref\": \"#/$defs/block\"}, {\"type\": \"array\", \"minItems\": 1, "
    "\"items\": "
    "{\"$ref\": \"#/$defs/block\"}}]},\n"
    "    \"profile\": {\"type\": \"object\", \"additionalProperties\": false, \"properties\": {\n"
    "      \"params\": {\"$ref\": \"#/$defs/params\"}, \"sweep\": {\"$ref\": \"#/$defs/sweep\"},\n"
    "      \"caption\": {\"type\": \"string\"}, \"expect_s\": {\"type\": \"number\", \"minimum\": 0, "
    "\"description\": \"expected seconds on 2 cores\"}}}\n"
    "  },\n";

static const char fixed_properties[] =
    "    \"name\": {\"type\": \"string\", \"description\": \"path below results/ and plots/\"},\n"
    "    \"title\": {\"type\": \"string\"},\n"
    "    \"caption\": {\"type\": \"string\", \"description\": \"text under every picture\"},\n"
    "    \"params\": {\"$ref\": \"#/$defs/params\"},\n"
    "    \"sweep\": {\"$ref\": \"#/$defs/sweep\"},\n"
    "    \"profiles\": {\"type\": \"object\", \"additionalProperties\": {\"$ref\": \"#/$defs/profile\"}},\n"
    "    \"published\": {\"type\": \"array\", \"items\": {\"type\": \"object\", \"additionalProperties\": "
    "false, "
    "\"required\": [\"values\"], \"properties\": {\"where\": {\"$ref\": \"#/$defs/params\"}, \"setting\": "
    "{\"$ref\": "
    "\"#/$defs/params\"}, \"values\": {\"$ref\": \"#/$defs/columns\"}, \"source\": {\"type\": "
    "\"string\"}}}},\n"
    "    \"regression\": {\"type\": \"array\", \"items\": {\"type\": \"object\", \"additionalProperties\": "
    "false, "
    "\"properties\": {\"where\": {\"$ref\": \"#/$defs/params\"}, \"rtol\": {\"$ref\": \"#/$defs/columns\"}, "
    "\"atol\": "
    "{\"$ref\": \"#/$defs/columns\"}}}}\n"
    "  }\n"
    "}\n";

void wal_schema_print(const wal_experiment *experiment, FILE *out) {
  fputs("{\n  \"$schema\": \"https://json-schema.org/draft/2020-12/schema\",\n  \"title\": ", out);
  print_string(out, experiment->title);
  fputs(",\n  \"$defs\": {\n", out);
  print_defs(experiment, out);
  fputs(fixed_defs, out);
  fprintf(out,
          "  \"type\": \"object\", \"additionalProperties\": false, \"required\": [\"experiment\"],\n"
          "  \"properties\": {\n    \"experiment\": {\"const\": \"%s\"},\n",
          experiment->id);
  fputs(fixed_properties, out);
}
