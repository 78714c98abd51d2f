#include "models/nashwelfare/examples.h"

wal_status wal_example(int number, const wal_example_size *size, wal_nw_market *out) {
  (void)number;
  (void)size;
  (void)out;
  return wal_fail(WAL_E_UNSUPPORTED, "not written yet");
}
wal_example_size wal_example_defaults(int number) {
  (void)number;
  return (wal_example_size){0};
}
