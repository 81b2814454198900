//! C interface of quectel-azure.
