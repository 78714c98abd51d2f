/* A driver library for machines without a GPU: cuDNN asks for one before it plans and compiles for a device
   that is only described. It finds no device, and "loads" whatever it is given. For gpu/plans/plans.cu and
   nothing else. */
#include <stddef.h>

enum { SUCCESS = 0, NO_DEVICE = 100 };
static char anything[64];

#define DOES_NOTHING(name) \
  int name(void);          \
  int name(void) { return SUCCESS; }
#define MAKES(name)      \
  int name(void **made); \
  int name(void **made) { return *made = anything, SUCCESS; }

MAKES(cuLibraryLoadData)
MAKES(cuLibraryLoadFromFile)
MAKES(cuLibraryGetKernel)
MAKES(cuLibraryGetModule)
MAKES(cuKernelGetFunction)
MAKES(cuModuleLoadData)
MAKES(cuModuleLoadDataEx)
MAKES(cuModuleGetFunction)

#define NAMES(X)                                                                                       \
  X(cuLibraryUnload)                                                                                   \
  X(cuModuleUnload)                                                                                    \
  X(cuModuleLoadFatBinary)                                                                             \
  X(cuFuncSetAttribute) X(cuKernelSetAttribute) X(cuLaunchKernel) X(cuLaunchKernelEx)                  \
      X(cuLaunchCooperativeKernel) X(cuLinkCreate) X(cuLinkAddData) X(cuLinkComplete) X(cuLinkDestroy) \
          X(cuCtxPushCurrent) X(cuCtxPopCurrent) X(cuCtxGetCurrent) X(cuCtxGetLimit) X(cuStreamGetCtx) \
              X(cuDevicePrimaryCtxRetain) X(cuDevicePrimaryCtxRelease) X(cuDevicePrimaryCtxReset)      \
                  X(cuCtxGetDevice) X(cuDeviceGet) X(cuDeviceGetAttribute) X(cuTensorMapEncodeTiled)   \
                      X(cuStreamGetCaptureInfo) X(cuOccupancyMaxPotentialClusterSize)
NAMES(DOES_NOTHING)

int cuInit(unsigned flags);
int cuInit(unsigned flags) { return (void)flags, NO_DEVICE; }

int cuDriverGetVersion(int *version);
int cuDriverGetVersion(int *version) { return *version = 13000, SUCCESS; }

int cuDeviceGetCount(int *count);
int cuDeviceGetCount(int *count) { return *count = 0, SUCCESS; }

int cuGetErrorName(int error, const char **text);
int cuGetErrorName(int error, const char **text) { return (void)error, *text = "no driver", SUCCESS; }

int cuGetErrorString(int error, const char **text);
int cuGetErrorString(int error, const char **text) { return (void)error, *text = "no driver", SUCCESS; }

int cuFuncGetAttribute(int *value);
int cuFuncGetAttribute(int *value) { return *value = 0, SUCCESS; }

int cuKernelGetAttribute(int *value);
int cuKernelGetAttribute(int *value) { return *value = 0, SUCCESS; }
