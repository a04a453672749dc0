//! What a watch can be over, and what it yields.

use std::fmt::Debug;

use futures::stream::BoxStream;
use kube::Resource;
use kube::runtime::watcher::Event;
use serde::de::DeserializeOwned;

/// What a watch yields.
pub type Events<K> = BoxStream<'static, Event<K>>;

/// The kinds that a watch can be over.
pub trait Watched:
    Resource<DynamicType = (), Scope = k8s_openapi::NamespaceResourceScope>
    + Clone
    + Debug
    + DeserializeOwned
    + Send
    + Sync
    + 'static
{
}
impl<K> Watched for K where
    K: Resource<DynamicType = (), Scope = k8s_openapi::NamespaceResourceScope>
        + Clone
        + Debug
        + DeserializeOwned
        + Send
        + Sync
        + 'static
{
}
