#include "experiments/nashwelfare/nashwelfare.h"

#include <string.h>

const wal_nashwelfare_kind wal_nashwelfare_kinds[WAL_NASHWELFARE_KINDS] = {
    {"linear", "linear"},
    {"bounded_linear", "bounded linear"},
    {"splc", "SPLC"},
    {"leontief_free", "Leontief-free"},
    {"network", "network"},
    {"plc", "PLC"},
    {"deep_network", "deep network"},
    {"leontief", "Leontief"},
    {"quadratic", "quadratic"},
};

const char *wal_nashwelfare_label(const char *name) {
  for (int k = 0; k < WAL_NASHWELFARE_KINDS; k++)
    if (strcmp(name, wal_nashwelfare_kinds[k].name) == 0) return wal_nashwelfare_kinds[k].label;
  return name;
}
