//! What a load balancer is told that asks a machine whether it has endpoints of a Service.
//! Models pkg/proxy/healthcheck/service_health.go.

use net::http::Response;

/// The answers on a Service's `healthCheckNodePort`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Health {
    /// The Service's namespace.
    pub namespace: String,
    /// The Service's name.
    pub name: String,
    /// The port of the machine the answers are given on.
    pub port: u16,
    /// Ready endpoints of the Service on this machine.
    pub local_endpoints: usize,
}

impl Health {
    /// The answer to any request: 200 where there is an endpoint, else 503.
    #[must_use]
    pub fn response(&self) -> Response {
        let status = match self.local_endpoints {
            0 => 503,
            _ => 200,
        };
        let mut response = Response::new(status, self.body());
        let weight = self.local_endpoints.to_string();
        response.headers.set("Content-Type", "application/json");
        response.headers.set("X-Content-Type-Options", "nosniff");
        response
            .headers
            .set("X-Load-Balancing-Endpoint-Weight", weight);
        response
    }

    /// The body of the answer, as upstream lays it out.
    #[must_use]
    pub fn body(&self) -> String {
        format!(
            "{{\n\t\"service\": {{\n\t\t\"namespace\": \"{}\",\n\t\t\"name\": \"{}\"\n\t}},\n\
             \t\"localEndpoints\": {},\n\t\"serviceProxyHealthy\": true\n}}",
            self.namespace, self.name, self.local_endpoints
        )
    }
}
