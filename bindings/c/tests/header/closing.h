/**
 * Defined by the firmware, not by the library: on bare metal the static library can bring Rust's panic handler (its
 * feature panic-handler), which calls this function. It must not return: the library has a fault, and file and line
 * say where. The file name does not end with NUL.
 */
void quectel_azure_on_panic(const uint8_t *file, size_t file_len, uint32_t line);
