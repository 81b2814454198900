/* Prints the sizes of the structs, for tests/abi.txt. A change of one of them needs another QUECTEL_AZURE_CLIENT_WORDS,
   so that a program with the old header is refused. */

#include <quectel_azure.h>

#include <stdio.h>

#define SIZE(type) printf("%4lu %s\n", (unsigned long)sizeof(type), #type)

int main(void) {
    SIZE(quectel_azure_bytes);
    SIZE(quectel_azure_result);
    SIZE(quectel_azure_config);
    SIZE(quectel_azure_buffers);
    SIZE(quectel_azure_client);
    SIZE(quectel_azure_property);
    SIZE(quectel_azure_message);
    SIZE(quectel_azure_event);
    return 0;
}
