//! What a log tells about a module: settings, files, network, connections and how they ended.

pub(crate) mod files;
pub(crate) mod pem;
pub(crate) mod settings;
