//! Queues and brokers.

use super::http::tls;
use crate::api::contact_point::{Kafka, Mqtt, Sns};
use crate::domain::notification::contact_point::settings::Settings;

pub(super) fn kafka<'a>(given: &'a Kafka, settings: &mut Settings<'a>) {
    settings.set("kafkaRestProxy", Some(&given.rest_proxy_url));
    settings.set("kafkaTopic", Some(&given.topic));
    settings.set("username", given.username.as_ref());
    settings.secret("password", "password", given.password.as_ref());
    settings.set("apiVersion", given.api_version);
    settings.set("kafkaClusterId", given.cluster_id.as_ref());
    settings.set("description", given.description.as_ref());
    settings.text(
        "details",
        "details",
        given.details.as_ref(),
        given.details_from.as_ref(),
    );
}

pub(super) fn mqtt<'a>(given: &'a Mqtt, settings: &mut Settings<'a>) {
    settings.set("brokerUrl", Some(&given.broker_url));
    settings.set("topic", Some(&given.topic));
    settings.set("messageFormat", given.message_format);
    settings.set("clientId", given.client_id.as_ref());
    settings.text(
        "message",
        "message",
        given.message.as_ref(),
        given.message_from.as_ref(),
    );
    settings.set("username", given.username.as_ref());
    settings.secret("password", "password", given.password.as_ref());
    settings.set("qos", given.qos.map(|n| n.to_string()));
    settings.set("retain", given.retain);
    tls("tlsConfig", "tlsConfig", given.tls_config.as_ref(), settings);
}

pub(super) fn sns<'a>(given: &'a Sns, settings: &mut Settings<'a>) {
    settings.set("api_url", given.api_url.as_ref());
    if let Some(sigv4) = &given.sigv4 {
        settings.set("sigv4.region", sigv4.region.as_ref());
        settings.secret("sigv4.accessKey", "sigv4.access_key", sigv4.access_key.as_ref());
        settings.secret("sigv4.secretKey", "sigv4.secret_key", sigv4.secret_key.as_ref());
        settings.set("sigv4.profile", sigv4.profile.as_ref());
        settings.set("sigv4.role_arn", sigv4.role_arn.as_ref());
    }
    settings.set("topic_arn", given.topic_arn.as_ref());
    settings.set("target_arn", given.target_arn.as_ref());
    settings.set("phone_number", given.phone_number.as_ref());
    settings.set("subject", given.subject.as_ref());
    settings.text(
        "message",
        "message",
        given.message.as_ref(),
        given.message_from.as_ref(),
    );
    let attributes = &given.attributes;
    settings.set("attributes", (!attributes.is_empty()).then_some(attributes));
}
