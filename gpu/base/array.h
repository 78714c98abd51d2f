/* Arrays on the device: plain allocations, freed with the owner. */
#ifndef WAL_GPU_ARRAY_H
#define WAL_GPU_ARRAY_H

#include "gpu/base/session.h"

/* bytes >= 0 of device memory, 256-byte aligned; 0 bytes: NULL. When there is not enough: WAL_E_MEMORY with
   `what` was to be stored ("values of 1048576 buyers"), the bytes asked and free, and what to lower ("a
   smaller n", "a smaller fc.batch"). */
wal_status wal_device_allocate(size_t bytes, const char *what, const char *lower, void **out);
void wal_device_free(void *memory); /* accepts NULL */

/* Page-locked host memory, which copies to and from it can overlap with the host's work. */
wal_status wal_pinned_allocate(size_t bytes, void **out);
void wal_pinned_free(void *memory); /* accepts NULL */

/* Bytes of device memory that are free, less a reserve for the libraries: what chunks of a population may
 * take. */
wal_status wal_device_room(size_t *bytes);

template <class T>
class wal_device_array {
 public:
  wal_device_array() = default;
  wal_device_array(const wal_device_array &) = delete;
  wal_device_array &operator=(const wal_device_array &) = delete;
  ~wal_device_array() { wal_device_free(data_); }

  T *data() const { return data_; } /* a device pointer */
  int64_t count() const { return count_; }

  /* Room for `count` elements, contents undefined; what was there is lost. */
  wal_status allocate(int64_t count, const char *what, const char *lower) {
    wal_device_free(data_);
    data_ = nullptr, count_ = 0;
    void *memory = nullptr;
    WAL_TRY(wal_device_allocate(static_cast<size_t>(count) * sizeof(T), what, lower, &memory));
    data_ = static_cast<T *>(memory), count_ = count;
    return WAL_OK;
  }
  /* As allocate, but keeps larger room that is there already. */
  wal_status at_least(int64_t count, const char *what, const char *lower) {
    return count <= count_ ? WAL_OK : allocate(count, what, lower);
  }

 private:
  T *data_ = nullptr;
  int64_t count_ = 0;
};

/* Copies `count` elements on the session's stream. From ordinary host memory: when upload returns, `from` may
   change; download returns when `to` is filled. */
wal_status wal_upload_bytes(void *to, const void *from, size_t bytes);
wal_status wal_download_bytes(void *to, const void *from, size_t bytes);
template <class T>
wal_status wal_upload(T *to, const T *from, int64_t count) {
  return wal_upload_bytes(to, from, static_cast<size_t>(count) * sizeof(T));
}
template <class T>
wal_status wal_download(T *to, const T *from, int64_t count) {
  return wal_download_bytes(to, from, static_cast<size_t>(count) * sizeof(T));
}

#endif
