/* Every graph that gpu/nn gives to cuDNN, planned for an H100 without having one: cuDNN takes a description
   of the device, its heuristics choose an engine, and NVRTC compiles what the engine needs for sm_90. Nothing
   is loaded or executed: run it with gpu/plans/no_driver.c in the place of the driver. Exits with 1 when a
   graph has no engine, 77 when cuDNN is older than 9.8. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <chrono>

#include "gpu/nn/layers_cudnn.h"

#if WAL_CUDNN_DEVICELESS

/* As cuDNN writes it of an H100 SXM with 80 GB. */
static const char h100[] =
    "{\"deviceVer\":900,\"driverVer\":13000,\"deviceName\":\"NVIDIA H100 80GB "
    "HBM3\",\"cudaDeviceId\":0,\"pciDeviceId\":0,"
    "\"multiProcessorCount\":132,\"smClockRateKHz\":1980000,\"memClockRateKHz\":2619000,\"l2CacheSize\":"
    "52428800,\"warpSize\":32,"
    "\"maxSharedMemoryPerBlock\":49152,\"maxSharedMemoryPerBlockOptin\":232448,"
    "\"reservedSharedMemoryPerBlock\":1024,"
    "\"maxRegistersPerSM\":65536,\"regsPerBlock\":65536,\"maxCtasPerSM\":32,\"maxThreadsPerBlock\":1024,"
    "\"maxThreadsPerSM\":2048,"
    "\"isTccDriver\":0,\"supportCoopLaunch\":1,\"totalGlobalMem\":85017755648,\"maxGridSize\":[2147483647,"
    "65535,65535],"
    "\"maxBlockSize\":[1024,1024,64]}";

static wal_status describe(cudnnBackendDescriptor_t *out) {
  WAL_CUDNN_TRY(cudnnBackendCreateDescriptor(CUDNN_BACKEND_DEVICEPROP_DESCRIPTOR, out));
  WAL_CUDNN_TRY(cudnnBackendSetAttribute(*out, CUDNN_ATTR_DEVICEPROP_JSON_REPRESENTATION, CUDNN_TYPE_CHAR,
                                         sizeof h100 - 1, h100));
  WAL_CUDNN_TRY(cudnnBackendFinalize(*out));
  return WAL_OK;
}

static const char *const activations[] = {"relu", "tanh", "silu"};

/* One row of the table; 1 when the outcome is not the expected one. */
static int report(const wal_cudnn_target *target, wal_layers_shape shape, wal_layer_form form, int64_t rows) {
  wal_cudnn_plan plan;
  const auto start = std::chrono::steady_clock::now();
  const wal_status status = wal_layer_plan(target, &shape, form, rows, &plan);
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  const bool expected =
      (status == WAL_OK) == (shape.precision != WAL_FLOAT32); /* no engine without tensor cores */
  printf("| %s | %s | %s | %lld | %s | %lld | %.1f s |\n", wal_precision_name(shape.precision),
         activations[shape.activation], wal_layer_form_name(form), static_cast<long long>(rows),
         status ? "none" : plan.name(), static_cast<long long>(plan.workspace()), seconds);
  if (!expected)
    printf("\nNOT EXPECTED: %s\n\n",
           status ? wal_error() : "an engine for float32 that gpu/nn does not ask for");
  fflush(stdout);
  return expected ? 0 : 1;
}

int main(void) {
  wal_cudnn_target target = {nullptr, nullptr};
  int wrong = 0;
  if (describe(&target.properties) != WAL_OK) {
    fprintf(stderr, "%s\n", wal_error());
    return EXIT_FAILURE;
  }
  printf(
      "cuDNN %d, plans for an H100, width 256\n\n| precision | activation | graph | rows | engine | "
      "workspace | time |\n"
      "|---|---|---|---|---|---|---|\n",
      static_cast<int>(cudnnGetVersion()));
  for (int p = WAL_FLOAT32; p <= WAL_BF16; p++)
    for (int a = WAL_RELU; a <= WAL_SILU; a++)
      for (int form = 0; form < WAL_LAYER_FORMS; form++) {
        const int64_t rows = int64_t(1) << 16;
        const wal_layers_shape shape = {256, rows, static_cast<wal_activation>(a),
                                        static_cast<wal_precision>(p)};
        if (form == WAL_FORM_FORWARD && a != WAL_SILU) continue; /* keeps nothing beside its output */
        if (form == WAL_FORM_WEIGHTS && a != WAL_RELU) continue; /* the same for every activation */
        wrong += report(&target, shape, static_cast<wal_layer_form>(form), rows);
        if (a == WAL_RELU && p != WAL_FLOAT32)
          wrong += report(&target, shape, static_cast<wal_layer_form>(form), 2560);
      }
  cudnnBackendDestroyDescriptor(target.properties);
  return wrong ? EXIT_FAILURE : EXIT_SUCCESS;
}

#else

int main(void) {
  printf("skipped: cuDNN %d plans for no device but its own; 9.8 does\n", CUDNN_VERSION);
  return 77;
}

#endif
