//! The SDK's HTTP client: hyper and rustls with ring, HTTP/1.1 only.
//!
//! Measured in November 2026: with the SDK's own, aws-smithy-http-client 1.5.2 with ring and one connector for all services but SES,
//! *reset* and *validate* had 0.82 MB and 0.8 MiB of memory more, a warm call 3 % and a start 6 % more instructions. It always includes
//! HTTP/2, which `DynamoDB`, SES and SQS do not support. It takes root certificates only as PEM, panics at one that it cannot decode, and
//! decodes them again for each connector (a start of the mail function: 51 % more instructions). It has no timeout for a single address.
//!
//! The root certificates are decoded here: the decoder of `rustls-pki-types` 1.15.1 would add 5 % to the instructions of a start.

use std::error::Error;
use std::io;
use std::iter::successors;
use std::sync::Arc;
use std::time::Duration;

use aws_smithy_runtime_api::client::connection::{CaptureSmithyConnection, ConnectionMetadata};
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpClient, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::retry::ErrorKind;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use http_body_util::{BodyExt as _, Limited};
use hyper::body::Bytes;
use hyper::http;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_timeout::TimeoutConnector;
use hyper_util::client::legacy::connect::{CaptureConnection, HttpConnector as Tcp, capture_connection};
use hyper_util::client::legacy::{self, Client};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, RootCertStore};

const TCP_TIMEOUT: Duration = Duration::from_secs(1);

/// For DNS, TCP and TLS together. Shorter than SES's timeout: without a connection it is certain that no mail was sent.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

type Connect = TimeoutConnector<HttpsConnector<Tcp>>;

/// The TLS configuration for all clients, with the system's root certificates. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Https(Connect);

impl Https {
    /// Reads the system's root certificates.
    ///
    /// # Errors
    ///
    /// If there are none, or they cannot be read.
    pub fn new() -> io::Result<Self> {
        let mut tcp = Tcp::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        tcp.set_connect_timeout(Some(TCP_TIMEOUT));
        let roots = system_roots().map_err(|error| {
            io::Error::new(error.kind(), format!("the system's root certificates cannot be read: {error}"))
        })?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(io::Error::other)?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let https = HttpsConnectorBuilder::new().with_tls_config(tls).https_or_http().enable_http1();
        let mut connect = Connect::new(https.wrap_connector(tcp));
        connect.set_connect_timeout(Some(CONNECT_TIMEOUT));
        Ok(Self(connect))
    }

    /// Gets `url` with the request's `headers`. Each call makes its own connection: one kept from an earlier call may have broken while the
    /// environment was frozen. Redirects are not followed.
    ///
    /// # Errors
    ///
    /// The reason, for the log, unless the answer has the status 200 and a body of at most `max_bytes`.
    pub async fn get(&self, url: &str, headers: &[(&str, &str)], max_bytes: usize) -> Result<Bytes, String> {
        let mut request = http::Request::get(url).header(http::header::USER_AGENT, "rekey");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(SdkBody::empty()).map_err(|error| error.to_string())?;
        let request = HttpRequest::try_from(request).map_err(|error| error.to_string())?;
        // Through the connector, as for the SDK: a second place that calls the client was 0.2 MB of *complete*.
        let answer = self.connector().call(request).await;
        // The error does not name the URL.
        let response = answer.map_err(|error| format!("could not be reached: {}", error.into_source()))?;
        if response.status().as_u16() != 200 {
            return Err(format!("answered {}", response.status().as_u16()));
        }
        let body = Limited::new(response.into_body(), max_bytes).collect().await;
        Ok(body.map_err(|error| format!("broke off its answer: {error}"))?.to_bytes())
    }

    /// A client with its own connection pool.
    #[must_use]
    pub(super) fn client(&self) -> SharedHttpClient {
        let connector = self.connector();
        http_client_fn(move |_settings, _components| connector.clone())
    }

    /// A connector with its own connection pool.
    fn connector(&self) -> SharedHttpConnector {
        let client =
            Client::builder(TokioExecutor::new()).pool_timer(TokioTimer::new()).build(self.0.clone());
        SharedHttpConnector::new(Connector(client))
    }
}

/// The root certificates in the file that `SSL_CERT_FILE` names, otherwise in the system's.
fn system_roots() -> io::Result<RootCertStore> {
    let missing =
        || io::Error::new(io::ErrorKind::NotFound, "there are none; SSL_CERT_FILE can name a file of them");
    let path = openssl_probe::probe().cert_file.ok_or_else(missing)?;
    let file = std::fs::read(path)?;
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(certificates(&String::from_utf8_lossy(&file)));
    if roots.is_empty() { Err(missing()) } else { Ok(roots) }
}

/// The certificates in `pem`, without those that cannot be decoded.
fn certificates(pem: &str) -> impl Iterator<Item = CertificateDer<'static>> {
    pem.split("-----BEGIN CERTIFICATE-----").skip(1).filter_map(|rest| {
        let (lines, _) = rest.split_once("-----END CERTIFICATE-----")?;
        let base64: String = lines.split_ascii_whitespace().collect();
        BASE64_STANDARD.decode(base64).ok().map(CertificateDer::from)
    })
}

#[derive(Debug)]
struct Connector(Client<Connect, SdkBody>);

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let mut request = match request.try_into_http1x() {
            Ok(request) => request,
            Err(error) => return HttpConnectorFuture::ready(Err(ConnectorError::user(error.into()))),
        };
        let connection = capture_connection(&mut request);
        if let Some(capture) = request.extensions().get::<CaptureSmithyConnection>() {
            capture.set_connection_retriever(move || Some(metadata(connection.clone())));
        }
        let response = self.0.request(request);
        HttpConnectorFuture::new(async move {
            let response = response.await.map_err(connector_error)?;
            HttpResponse::try_from(response.map(SdkBody::from_body_1_x))
                .map_err(|error| ConnectorError::other(error.into(), None))
        })
    }
}

/// Lets the SDK discard a connection, after a timeout for example.
fn metadata(connection: CaptureConnection) -> ConnectionMetadata {
    let poison = move || {
        if let Some(connection) = connection.connection_metadata().as_ref() {
            connection.poison();
        }
    };
    ConnectionMetadata::builder().proxied(false).poison_fn(poison).build()
}

/// Classifies `error` for the SDK's retries.
fn connector_error(error: legacy::Error) -> ConnectorError {
    let mut causes = successors(error.source(), |cause| Error::source(*cause));
    let cause = causes.find_map(|cause| cause.downcast_ref::<hyper::Error>());
    let is_incomplete = cause.is_some_and(hyper::Error::is_incomplete_message);
    let is_user_error = cause.is_some_and(hyper::Error::is_user);
    if is_incomplete {
        ConnectorError::other(error.into(), Some(ErrorKind::TransientError))
    } else if is_user_error {
        ConnectorError::user(error.into())
    } else {
        ConnectorError::io(error.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_certificate_of_a_file_is_read_and_nothing_else() {
        let begin = "-----BEGIN CERTIFICATE-----";
        let end = "-----END CERTIFICATE-----";
        let pem = format!(
            "# Åland root\r\n{begin}\r\nAQID\r\nBA==\r\n{end}\r\n-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n\
             {begin}\nBQ=\n{end}\n{begin}\nBgc=\n{end}\n{begin}\nCAkK"
        );
        let found: Vec<_> = certificates(&pem).map(|certificate| certificate.to_vec()).collect();
        assert_eq!(found, [vec![1, 2, 3, 4], vec![6, 7]]);
    }

    #[test]
    fn the_systems_root_certificates_can_all_be_decoded() {
        let path = openssl_probe::probe().cert_file.expect("a file of root certificates");
        let file = std::fs::read_to_string(path).expect("text");
        assert_eq!(certificates(&file).count(), file.matches("-----BEGIN CERTIFICATE-----").count());
        assert!(!system_roots().expect("root certificates").is_empty());
    }
}
