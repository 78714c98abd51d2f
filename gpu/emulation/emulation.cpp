/* See cuda_runtime.h. The host's side: memory, queues, graphs, events. Threads are in fibers.cpp. */
#include <cuda_runtime.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <map>
#include <mutex>
#include <vector>

#include "gpu/emulation/fibers.h"

namespace {

typedef std::function<void()> action;
std::recursive_mutex lock; /* of everything below */

/* ---- memory ---- */

enum : size_t { PAGE = 4096, ALIGNMENT = 256, RANGE = size_t(1) << 36 };
unsigned char *heap; /* one reserved range: all device memory that ever is */
size_t heap_used;    /* bytes of the range given away so far; freed places are reused by size */
bool heap_open;      /* may be touched now */
size_t card = size_t(8) << 30, in_use;
struct allocation {
  size_t bytes, room; /* asked; whole pages, without the guard */
};
std::map<unsigned char *, allocation> allocations;
std::multimap<size_t, unsigned char *> free_places; /* by room */
std::map<unsigned char *, size_t> pinned;

[[noreturn]] void complain(const char *what, const void *where) {
  fprintf(stderr, "CUDA emulation: %s (%p)\n", what, where);
  abort();
}

void reserve() {
  if (heap) return;
  void *range = mmap(nullptr, RANGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (range == MAP_FAILED) complain("no address range for device memory", nullptr);
  heap = static_cast<unsigned char *>(range);
}

void protect(unsigned char *place, const allocation &a) {
  if (mprotect(place, a.room, heap_open ? PROT_READ | PROT_WRITE : PROT_NONE) != 0)
    complain("device memory could not be opened or closed", place);
}

/* Device memory is open while kernels and copies run only. */
class opened {
 public:
  opened() : was_(heap_open) { set(true); }
  ~opened() { set(was_); }

 private:
  static void set(bool open) {
    if (heap_open == open) return;
    heap_open = open;
    for (const auto &a : allocations) protect(a.first, a.second);
  }
  bool was_;
};

bool on_device(const void *pointer, size_t bytes) {
  unsigned char *p = static_cast<unsigned char *>(const_cast<void *>(pointer));
  auto after = allocations.upper_bound(p);
  if (after == allocations.begin()) return false;
  --after;
  return p + bytes <= after->first + after->second.bytes;
}

bool in_heap(const void *pointer) {
  const unsigned char *p = static_cast<const unsigned char *>(pointer);
  return heap && p >= heap && p < heap + RANGE;
}

bool is_pinned(const void *pointer) {
  unsigned char *p = static_cast<unsigned char *>(const_cast<void *>(pointer));
  auto after = pinned.upper_bound(p);
  if (after == pinned.begin()) return false;
  --after;
  return p < after->first + after->second;
}

const unsigned char CANARY = 0xA5;

void check_canary(unsigned char *place, const allocation &a) {
  const opened now;
  for (size_t k = a.bytes; k < a.room; k++)
    if (place[k] != CANARY) complain("a kernel wrote past the end of an allocation", place + k);
}

unsigned char *take_place(size_t room) {
  const auto found = free_places.find(room);
  if (found != free_places.end()) {
    unsigned char *place = found->second;
    free_places.erase(found);
    return place;
  }
  reserve();
  if (heap_used + room + PAGE > RANGE) complain("the address range for device memory is used up", heap);
  unsigned char *place = heap + heap_used;
  heap_used += room + PAGE; /* a guard page after each */
  return place;
}

/* ---- queues ---- */

struct queue {
  std::vector<action> waiting;
  wal_emulation_graph *capture = nullptr;
  bool spoilt = false; /* the capture: by a call that it does not allow */
} the_queue;
cudaError_t last_error = cudaSuccess;
int64_t launches;

}  // namespace

struct wal_emulation_stream {};
struct wal_emulation_graph {
  std::vector<action> actions;
};
struct wal_emulation_event {
  double seconds = 0;
};

namespace {

cudaError_t note(cudaError_t error) {
  if (error != cudaSuccess) last_error = error;
  return error;
}

/* What a call that cannot be recorded returns: the recording is lost with it. */
cudaError_t spoil() {
  the_queue.spoilt = true;
  return note(cudaErrorStreamCaptureUnsupported);
}

void enqueue(action a) {
  (the_queue.capture ? the_queue.capture->actions : the_queue.waiting).push_back(std::move(a));
}

/* Runs what waits. */
void drain() {
  std::vector<action> now;
  now.swap(the_queue.waiting);
  if (now.empty()) return;
  const opened memory;
  for (const action &a : now) a();
}

/* A call that waits is not allowed while a graph is recorded. */
cudaError_t wait() {
  if (the_queue.capture) return spoil();
  drain();
  return cudaSuccess;
}

double seconds() {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

typedef std::lock_guard<std::recursive_mutex> locked;

/* A process forked from one that has used CUDA cannot use it, as with the driver. */
bool forked() {
  static pid_t first; /* the process that used CUDA first */
  const locked now(lock);
  if (first == 0) first = getpid();
  return first != getpid();
}

}  // namespace

/* ---- errors and the device ---- */

#define WAL_ERRORS(X)                                                                            \
  X(cudaSuccess, "no error")                                                                     \
  X(cudaErrorInvalidValue, "invalid argument")                                                   \
  X(cudaErrorMemoryAllocation, "out of memory")                                                  \
  X(cudaErrorInitializationError, "initialization error")                                        \
  X(cudaErrorInsufficientDriver, "CUDA driver version is insufficient for CUDA runtime version") \
  X(cudaErrorNoDevice, "no CUDA-capable device is detected")                                     \
  X(cudaErrorIllegalAddress, "an illegal memory access was encountered")                         \
  X(cudaErrorInvalidConfiguration, "invalid configuration argument")                             \
  X(cudaErrorStreamCaptureUnsupported, "operation not permitted when stream is capturing")       \
  X(cudaErrorStreamCaptureInvalidated, "operation failed due to a previous error during capture")

const char *cudaGetErrorName(cudaError_t error) {
#define X(name, text) \
  if (error == name) return #name;
  WAL_ERRORS(X)
#undef X
  return "unknown";
}

const char *cudaGetErrorString(cudaError_t error) {
#define X(name, text) \
  if (error == name) return text;
  WAL_ERRORS(X)
#undef X
  return "unknown error";
}

cudaError_t cudaPeekAtLastError(void) { return last_error; }

cudaError_t cudaGetLastError(void) {
  const cudaError_t error = last_error;
  last_error = cudaSuccess;
  return error;
}

/* WAL_EMULATION_DEVICES=0: a machine with a driver and no card. */
cudaError_t cudaGetDeviceCount(int *count) {
  *count = 0;
  if (forked()) return note(cudaErrorInitializationError);
  const char *text = getenv("WAL_EMULATION_DEVICES");
  *count = text ? atoi(text) : 1;
  return note(*count > 0 ? cudaSuccess : cudaErrorNoDevice);
}

cudaError_t cudaSetDevice(int device) {
  if (forked()) return note(cudaErrorInitializationError);
  return note(device == 0 ? cudaSuccess : cudaErrorInvalidValue);
}

cudaError_t cudaGetDevice(int *device) {
  *device = 0;
  return cudaSuccess;
}

cudaError_t cudaGetDeviceProperties(cudaDeviceProp *prop, int device) {
  if (device != 0) return note(cudaErrorInvalidValue);
  *prop = cudaDeviceProp{};
  snprintf(prop->name, sizeof prop->name, "CUDA emulated on the CPU");
  prop->totalGlobalMem = card;
  prop->sharedMemPerBlock = 48 * 1024, prop->sharedMemPerBlockOptin = 227 * 1024;
  prop->multiProcessorCount = 4;
  prop->major = 9, prop->minor = 0;
  prop->warpSize = 32, prop->maxThreadsPerBlock = 1024, prop->l2CacheSize = 1 << 20;
  return cudaSuccess;
}

cudaError_t cudaDriverGetVersion(int *version) {
  *version = 13000;
  return cudaSuccess;
}
cudaError_t cudaRuntimeGetVersion(int *version) { return cudaDriverGetVersion(version); }

/* ---- memory ---- */

void wal_emulation_memory(size_t bytes) { card = bytes; }

cudaError_t cudaMemGetInfo(size_t *free, size_t *total) {
  *total = card;
  *free = card > in_use ? card - in_use : 0;
  return cudaSuccess;
}

cudaError_t cudaMalloc(void **memory, size_t bytes) {
  const locked now(lock);
  *memory = nullptr;
  if (the_queue.capture) return spoil();
  if (bytes == 0) return cudaSuccess;
  if (in_use + bytes > card) return note(cudaErrorMemoryAllocation);
  const allocation a = {bytes, (bytes + PAGE - 1) / PAGE * PAGE};
  unsigned char *place = take_place(a.room);
  allocations[place] = a;
  in_use += bytes;
  protect(place, a);
  const opened writable;
  memset(place, 0xFF, bytes); /* NaN in every floating-point type, -1 in the integers */
  memset(place + bytes, CANARY, a.room - bytes);
  *memory = place;
  return cudaSuccess;
}

cudaError_t cudaFree(void *memory) {
  const locked now(lock);
  if (!memory) return cudaSuccess;
  if (the_queue.capture) return spoil();
  drain();
  unsigned char *place = static_cast<unsigned char *>(memory);
  const auto found = allocations.find(place);
  if (found == allocations.end()) return note(cudaErrorInvalidValue);
  const allocation a = found->second;
  check_canary(place, a);
  madvise(place, a.room, MADV_DONTNEED);
  mprotect(place, a.room, PROT_NONE);
  in_use -= a.bytes;
  free_places.emplace(a.room, place);
  allocations.erase(found);
  return cudaSuccess;
}

cudaError_t cudaMallocHost(void **memory, size_t bytes) {
  const locked now(lock);
  *memory = calloc(1, bytes ? bytes : 1);
  if (!*memory) return note(cudaErrorMemoryAllocation);
  pinned[static_cast<unsigned char *>(*memory)] = bytes;
  return cudaSuccess;
}

cudaError_t cudaFreeHost(void *memory) {
  const locked now(lock);
  if (!memory) return cudaSuccess;
  drain();
  if (!pinned.erase(static_cast<unsigned char *>(memory))) return note(cudaErrorInvalidValue);
  free(memory);
  return cudaSuccess;
}

/* Whether [pointer, bytes) is what the kind of copy says. */
static bool side_fits(const void *pointer, size_t bytes, bool device) {
  return device ? on_device(pointer, bytes) : !in_heap(pointer);
}

cudaError_t cudaMemcpyAsync(void *to, const void *from, size_t bytes, cudaMemcpyKind kind, cudaStream_t) {
  const locked now(lock);
  if (bytes == 0) return cudaSuccess;
  const bool to_device = kind == cudaMemcpyDefault
                             ? in_heap(to)
                             : kind == cudaMemcpyHostToDevice || kind == cudaMemcpyDeviceToDevice;
  const bool from_device = kind == cudaMemcpyDefault
                               ? in_heap(from)
                               : kind == cudaMemcpyDeviceToHost || kind == cudaMemcpyDeviceToDevice;
  if (!side_fits(to, bytes, to_device) || !side_fits(from, bytes, from_device))
    return note(cudaErrorInvalidValue);
  const bool queued = (to_device || is_pinned(to)) && (from_device || is_pinned(from));
  if (!queued && the_queue.capture) return spoil();
  enqueue([=] { memmove(to, from, bytes); });
  if (!queued) drain(); /* ordinary memory is copied before the call returns */
  return cudaSuccess;
}

cudaError_t cudaMemcpy(void *to, const void *from, size_t bytes, cudaMemcpyKind kind) {
  const locked now(lock);
  const cudaError_t error = cudaMemcpyAsync(to, from, bytes, kind);
  return error != cudaSuccess ? error : wait();
}

cudaError_t cudaMemsetAsync(void *to, int value, size_t bytes, cudaStream_t) {
  const locked now(lock);
  if (bytes == 0) return cudaSuccess;
  if (!on_device(to, bytes)) return note(cudaErrorInvalidValue);
  enqueue([=] { memset(to, value, bytes); });
  return cudaSuccess;
}

cudaError_t cudaMemset(void *to, int value, size_t bytes) { return cudaMemsetAsync(to, value, bytes); }

/* ---- streams, graphs, events ---- */

cudaError_t cudaDeviceSynchronize(void) {
  const locked now(lock);
  return wait();
}

cudaError_t cudaStreamCreate(cudaStream_t *stream) {
  *stream = new wal_emulation_stream;
  return cudaSuccess;
}

cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  const locked now(lock);
  drain();
  delete stream;
  return cudaSuccess;
}

cudaError_t cudaStreamSynchronize(cudaStream_t) { return cudaDeviceSynchronize(); }

cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode) {
  const locked now(lock);
  if (!stream || the_queue.capture) return note(cudaErrorStreamCaptureUnsupported);
  the_queue.capture = new wal_emulation_graph;
  the_queue.spoilt = false;
  return cudaSuccess;
}

cudaError_t cudaStreamEndCapture(cudaStream_t, cudaGraph_t *graph) {
  const locked now(lock);
  *graph = the_queue.capture;
  the_queue.capture = nullptr;
  if (*graph && the_queue.spoilt) {
    delete *graph;
    *graph = nullptr;
    return note(cudaErrorStreamCaptureInvalidated);
  }
  return note(*graph ? cudaSuccess : cudaErrorInvalidValue);
}

cudaError_t cudaGraphInstantiate(cudaGraphExec_t *exec, cudaGraph_t graph, unsigned long long) {
  *exec = new wal_emulation_graph(*graph);
  return cudaSuccess;
}

cudaError_t cudaGraphLaunch(cudaGraphExec_t exec, cudaStream_t) {
  const locked now(lock);
  for (const action &a : exec->actions) enqueue(a);
  return cudaSuccess;
}

cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
  delete graph;
  return cudaSuccess;
}

cudaError_t cudaGraphExecDestroy(cudaGraphExec_t exec) {
  const locked now(lock);
  drain(); /* a launch that waits holds the arguments itself, but keep the order of ends */
  delete exec;
  return cudaSuccess;
}

cudaError_t cudaEventCreate(cudaEvent_t *event) {
  *event = new wal_emulation_event;
  return cudaSuccess;
}

cudaError_t cudaEventDestroy(cudaEvent_t event) {
  const locked now(lock);
  drain();
  delete event;
  return cudaSuccess;
}

cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t) {
  const locked now(lock);
  enqueue([event] { event->seconds = seconds(); });
  return cudaSuccess;
}

cudaError_t cudaEventSynchronize(cudaEvent_t) { return cudaDeviceSynchronize(); }

cudaError_t cudaEventElapsedTime(float *milliseconds, cudaEvent_t begin, cudaEvent_t end) {
  *milliseconds = static_cast<float>(1e3 * (end->seconds - begin->seconds));
  return cudaSuccess;
}

/* ---- launches ---- */

int64_t wal_emulation_launches(void) { return launches; }

void wal_emulation_check(const void *pointer) {
  const locked now(lock);
  if (pointer && !on_device(pointer, 0))
    complain("a kernel was given a pointer that is not to device memory", pointer);
}

cudaError_t wal_emulation_launch(dim3 grid, dim3 block, size_t shared, cudaStream_t, action thread) {
  const locked now(lock);
  const size_t threads = static_cast<size_t>(block.x) * block.y * block.z;
  if (threads < 1 || threads > 1024 || grid.x < 1 || grid.y < 1 || grid.z < 1 || grid.y > 65535 ||
      grid.z > 65535 || grid.x > 2147483647u || shared > 227 * 1024)
    return note(cudaErrorInvalidConfiguration);
  launches++;
  enqueue([=] { wal_fibers_run(grid, block, shared, thread); });
  return cudaSuccess;
}
