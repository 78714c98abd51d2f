#include "engine/cli.h"
#include "experiments/commands/commands.h"
#include "experiments/devices.h"
#include "experiments/registry.h"

int main(int argc, char **argv) {
  const wal_program program = {wal_experiments(), wal_commands, wal_topics, wal_devices};
  return wal_cli_main(argc, argv, &program);
}
