//! Python module of quectel-azure.
