//! What a log tells about a module: settings, files, network, connections and how they ended.

pub(crate) mod attempt;
pub(crate) mod credential;
pub(crate) mod files;
pub(crate) mod module;
pub(crate) mod network;
pub(crate) mod pem;
pub(crate) mod settings;
pub(crate) mod state;
