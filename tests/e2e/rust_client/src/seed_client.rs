use reqwest::Client;
use serde_json::json;

pub struct ServiceRegistry {
    client: Client,
    registry_url: String,
    service_id: Option<String>,
}

impl ServiceRegistry {
    pub fn new(registry_url: String) -> Self {
        Self {
            client: Client::new(),
            registry_url,
            service_id: None,
        }
    }
    
    pub async fn register(
        &mut self,
        name: &str,
        host: &str,
        port: u16,
    ) -> Result<String, Box<dyn std::error::Error>> {
        let response = self.client
            .post(&format!("{}/register", self.registry_url))
            .json(&json!({
                "name": name,
                "host": host,
                "port": port,
                "health_endpoint": "/health"
            }))
            .send()
            .await?
            .json::<serde_json::Value>()
            .await?;
        
        let service_id = response["service_id"]
            .as_str()
            .unwrap()
            .to_string();
        
        self.service_id = Some(service_id.clone());
        Ok(service_id)
    }
}
